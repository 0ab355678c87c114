"""A page in Debian's Chromium: what it became, and what it said in its console.

A headless window is never narrower than 500 pixels: a phone's width is that of a frame in a page, served over HTTP so
that the outer page may look into it.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The folder over HTTP, so that the frame may look into the page; and what was asked for."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def browse(address: str, folder: Path, *more: str) -> tuple[str, list[str]]:
    """What the browser made of a page, and what it said in its console."""
    chromium = shutil.which("chromium")
    assert chromium is not None
    done = subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
            *("--disable-background-networking", "--disable-component-update", "--window-size=1400,1000"),
            *(
                "--enable-logging=stderr",
                f"--user-data-dir={folder / 'profile'}",
                "--virtual-time-budget=5000",
            ),
            *more,
            *("--dump-dom", address),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]
