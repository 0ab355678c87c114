"""Two real databases, a base, and a receiver for everything that the commands send: what a filled-in ``.env`` names.

What belongs here: the parts, and running one line as a person's shell does. What does not: which lines (``page``), and what
must be true before each (``runbook``, ``recovery``). Stand-ins: the local Airtable server for Airtable, databases of the
embedded Postgres for the two projects', moto for AWS, rclone for Supabase's Storage, the tests' double for its Auth.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyairtable

from ledger_assets.demo.base import create_base
from ledger_assets.demo.parts import EmbeddedParts
from ledger_assets.demo.postgres import Cluster
from ledger_assets.demo.server import LocalAirtable
from tests.accounts.gotrue import KEY, GoTrue, gotrue
from tests.backup import s3
from tests.backup.mail import Hook, Mailbox, smtp_server, webhook
from tests.switch.receiver import SECRET, Receiver, receiver

NAME = "127.0.0.1/production"
"""What the product calls the production of this world."""
ROOT = Path(__file__).resolve().parents[2]
SCALE = 400
LONGEST = 600.0
"""Seconds after which a command is stopped and the test fails: it hangs."""
PEOPLE = ("kim@example.org", "sam@example.org")


@dataclass(frozen=True)
class Ran:
    """A line as it was run, how it ended and what it said (of both streams)."""

    line: str
    code: int
    said: str
    seconds: float


@dataclass
class World:
    """The folder that the person works in, the parts, and what earlier commands have told (``known``)."""

    folder: Path
    cluster: Cluster
    airtable: LocalAirtable
    box: Mailbox
    hook: Hook
    deploys: Receiver
    auth: GoTrue
    bare: dict[str, str]
    environ: dict[str, str]
    filled: dict[str, str]
    known: dict[str, str] = field(default_factory=dict)
    hanging: psycopg.Connection | None = None

    @property
    def base(self) -> pyairtable.Base:
        """The base as a person with it open changes it."""
        api = pyairtable.Api(self.airtable.api_key, endpoint_url=self.airtable.url, retry_strategy=None)
        return api.base(self.airtable.base_id)

    def fill_in(self, **more: str) -> None:
        """What a person writes into ``.env``: every name stands there already."""
        path = self.folder / ".env"
        text = path.read_text()
        for name, value in (more or self.filled).items():
            line = f"{name}={shlex.quote(value)}"
            text, found = re.subn(rf"(?m)^{name}=.*$", line.replace("\\", r"\\"), text)
            assert found == 1, f".env.example has no line for {name}"
        path.write_text(text)

    def run(self, line: str, *, until: str | None = None, clean: bool = False, typed: str = "") -> Ran:
        """Run it in a shell that knows what the lines before it have set, or (``clean``) nothing of it.

        ``until``: interrupt it when it has said so.
        """
        state = self.folder / "environment"
        script = f"{line}\ncode=$?\nenv -0 > {shlex.quote(str(state))}\nexit $code"
        began = time.monotonic()
        keys = self.folder / "typed"
        keys.write_text(typed)
        with (self.folder / "said").open("w+b") as said, keys.open("rb") as stdin:
            process = subprocess.Popen(
                ["bash", "-c", script if until is None else f"exec {line}"],
                env=self.bare if clean else self.environ,
                cwd=self.folder,
                stdin=stdin,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                if until is not None:
                    self._interrupt_after(process, until)
                process.wait(LONGEST)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"{line!r} did not end within {LONGEST:.0f} s: {self.said()}") from None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        if until is None and not clean:
            pairs = (pair.partition("=") for pair in state.read_text().split("\0") if pair)
            self.environ = {name: value for name, _, value in pairs if name not in {"SHLVL", "_", "PWD"}}
        return Ran(line, process.returncode, self.said(), time.monotonic() - began)

    def said(self) -> str:
        """What the command under way, or the last one, has said."""
        return (self.folder / "said").read_text(errors="replace")

    def _interrupt_after(self, process: subprocess.Popen[bytes], words: str) -> None:
        deadline = time.monotonic() + LONGEST
        while not re.search(words, self.said()):
            if process.poll() is not None:
                return  # it ended by itself: its exit code and what it said are judged
            assert time.monotonic() < deadline, (
                f"{words!r} was not said within {LONGEST:.0f} s: {self.said()}"
            )
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)  # its end is seen at once; only its words must be looked for
        process.send_signal(signal.SIGINT)

    def query(self, environment: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """On an environment's database, as the role that owns it; committed."""
        with psycopg.connect(self.cluster.url(environment), autocommit=True) as connection:
            found = connection.execute(statement.encode(), values or None)
            return found.fetchall() if found.description else []


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """All of it, in ``folder``; a person has just cloned the repository there."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    shutil.copy(ROOT / ".env.example", folder)
    (folder / "people.txt").write_text("\n".join(PEOPLE) + "\n")
    (folder / "buckets").mkdir()
    create_base(folder / "base.sqlite", seed=7, scale=SCALE)
    with ExitStack() as stack:
        parts = stack.enter_context(EmbeddedParts(home))
        cluster = parts.postgres()
        for name in ("staging", "production"):
            cluster.ensure_database(name)
        airtable = stack.enter_context(LocalAirtable(folder / "base.sqlite", requests_per_second=100_000))
        aws, storage = stack.enter_context(s3.moto()), stack.enter_context(s3.rclone(folder / "buckets"))
        box, hook = stack.enter_context(smtp_server()), stack.enter_context(webhook())
        deploys = stack.enter_context(receiver())
        auth = stack.enter_context(gotrue(cluster.admin_url("production")))
        bucket = s3.bucket_name(aws.bucket(ObjectLockEnabledForBucket=True))
        for name in ("app-private", "app-public"):
            (folder / "buckets" / name).mkdir()
        filled = {
            "AIRTABLE_API_KEY": airtable.api_key,
            "AIRTABLE_BASE_ID": airtable.base_id,
            "AIRTABLE_ENDPOINT_URL": airtable.url,
            "AIRTABLE_REQUESTS_PER_SECOND": "100000",
            "AIRTABLE_MONTHLY_CALLS": "100000",
            "STAGING_DATABASE_URL": cluster.url("staging"),
            "DATABASE_URL": cluster.url("production"),
            "LEDGER_HOME": str(home),
            "BACKUP_BUCKET": f"s3://{bucket}/backups",
            "BACKUP_ENCRYPTION_PASSWORD": "wattle and ironbark 7",
            "AWS_REGION": s3.REGION,
            "AWS_ACCESS_KEY_ID": s3.ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY,
            "AWS_ENDPOINT_URL": aws.endpoint,
            "BACKUP_WEBHOOK_URL": hook.url,
            "BACKUP_SMTP_URL": f"smtp://127.0.0.1:{box.port}?from=stories@example.org",
            "DEPLOY_HOOK_URLS": deploys.url,
            "DEPLOY_HOOK_SECRET": SECRET,
            "MIGRATION_AT": datetime.now(UTC).isoformat(timespec="seconds"),
            "LEDGER_CONTACTS": str(folder / "contacts.toml"),
            "ANNOUNCE_RECIPIENTS": str(folder / "people.txt"),
            "STATUS_PAGE_URL": (folder / "public").as_uri(),
            "SUPABASE_URL": auth.url,
            "SUPABASE_SERVICE_KEY": KEY,
            "MEDIA_STORE_URL": "s3://app-private",
            "MEDIA_PUBLIC_STORE_URL": "s3://app-public",
            "MEDIA_S3_ENDPOINT": storage.endpoint,
            "MEDIA_S3_REGION": s3.REGION,
            "MEDIA_ACCESS_KEY_ID": s3.ACCESS_KEY,
            "MEDIA_SECRET_ACCESS_KEY": s3.SECRET_KEY,
        }
        environ = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "LC_ALL": "C.UTF-8",
        }
        made = World(folder, cluster, airtable, box, hook, deploys, auth, environ, dict(environ), filled)
        made.known["NAME"] = NAME
        yield made
