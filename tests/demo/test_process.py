"""The server as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from ledger_assets.demo.server import KEY_VARIABLE


def test_the_process_tells_its_port_serves_with_its_key_and_ends_on_request(
    bases: dict[str, Path], tmp_path: Path
) -> None:
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "ledger_assets.demo.server", "--base", str(bases["empathy_ledger"])]
    environ = {**os.environ, KEY_VARIABLE: "patOfTheTest"}
    with subprocess.Popen([*command, "--port-file", str(port_file)], env=environ) as process:
        try:
            while not port_file.exists() and process.poll() is None:
                os.sched_yield()
            url = f"http://127.0.0.1:{port_file.read_text().strip()}/v0/meta/bases"
            assert requests.get(url, headers={"Authorization": "Bearer patOfTheTest"}).status_code == 200
            assert requests.get(url, headers={"Authorization": "Bearer other"}).status_code == 401
        finally:
            process.terminate()
        assert process.wait(timeout=30) in (0, -15)


@pytest.mark.parametrize("text", [None, "no base"])
def test_a_file_that_is_no_base_is_one_line(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "base").write_text(text)
    command = [sys.executable, "-m", "ledger_assets.demo.server", "--base", str(tmp_path / "base")]
    done = subprocess.run([*command, "--port-file", str(tmp_path / "port")], capture_output=True, text=True)
    assert done.returncode == 1
    assert "cannot be served" in done.stderr
    assert "Traceback" not in done.stderr
