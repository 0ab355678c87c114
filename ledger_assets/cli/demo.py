"""Commands of a newcomer: ``demo`` shows a whole migration, ``ui`` opens the web UI with everything it needs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from ledger_assets.cli.session import console, dagster_home, instance, open_log, run_job
from ledger_assets.environment import Environment, Settings, read_home, read_settings, read_shape
from ledger_assets.errors import LedgerError, SettingsError

if TYPE_CHECKING:
    from ledger_assets.demo.parts import EmbeddedParts

REMIGRATED = "2025-03"
"""The month that the demo migrates again: the busiest of the synthetic base."""

STOP_SECONDS = 10.0


@click.command()
@click.option(
    "--scale",
    metavar="N",
    type=click.IntRange(60, 500_000),
    help="A synthetic base of about N records instead of 2,290; at 5 requests/s, 100 records each, it takes its time.",
)
@click.option(
    "--cutover",
    "whole_day",
    is_flag=True,
    help="The migration day: rehearsal, freeze, last edits, switch, way back.",
)
def demo(scale: int | None, whole_day: bool) -> None:
    """See a whole migration happen: real HTTP, real Postgres, a synthetic base of invented people.

    Dry run, migration to staging, proof, a second run that writes nothing, one month migrated again; then an encrypted
    snapshot that is really restored, and a lost table that is brought back from it.
    """
    settings = demo_settings()
    open_log(settings.home)
    if scale is not None:
        make_base(settings, scale)
    if whole_day:
        from ledger_assets.cli.demo_cutover import play

        play()
        return
    console.print(
        "An invented community's Airtable base moves into Postgres. Airtable's limit holds: 5 requests/s.\n"
    )
    with instance(settings.home) as dagster_instance:
        from ledger_assets import recoveries, reports
        from ledger_assets.cli import report
        from ledger_assets.connections import object_store

        store = object_store(settings)

        def step(
            number: int,
            title: str,
            job: str,
            tell: Callable[[str], str],
            tags: Mapping[str, str] | None = None,
            config: Mapping[str, Any] | None = None,
        ) -> None:
            started = time.monotonic()
            run = run_job(dagster_instance, Environment.STAGING, job, tags=tags, run_config=config)
            console.print(f"{number}. {title}: {tell(run.run_id)} ({time.monotonic() - started:.1f} s)")

        step(1, "dry run", "dry_run", lambda run: report.load_line(reports.read(store, run, "dry_run")))
        step(
            2,
            "migration to staging",
            "migrate",
            lambda run: report.load_line(reports.read(store, run, "load")),
        )
        step(
            3,
            "proof, read back from Postgres",
            "verify",
            lambda run: report.proof_line(reports.read(store, run, "proof")),
        )
        step(4, "second migration", "migrate", lambda run: report.load_line(reports.read(store, run, "load")))
        step(
            5,
            f"{REMIGRATED} migrated again",
            "remigrate",
            lambda run: report.load_line(reports.read(store, run, "load")),
            tags={"dagster/partition": f"{REMIGRATED}-01"},
        )
        step(6, "snapshot, restored and compared", "backup", lambda _run: _snapshot(settings))
        lost = _lose_the_stories(settings)
        plan = recoveries.plan(settings, "data_loss")
        step(
            7,
            f"{lost} lost, and recovered",
            "recover",
            lambda run: report.restore_line(reports.read(store, run, "restore"), "staging"),
            config={"ops": {"recover": {"config": {"plan": plan.id, "who": "the demo"}}}},
        )
        step(
            8,
            "proof again",
            "verify",
            lambda run: report.proof_line(reports.read(store, run, "proof")),
        )
        last = report.latest(store, "proof")
    console.print(f"\nThe proof, to read: {last}")
    console.print("What a person must decide: ledger-assets findings staging")
    console.print("The snapshots, and what they need to be opened: ledger-assets backup list staging")
    console.print("The same in the web UI: make ui (or ledger-assets ui)")


def _snapshot(settings: Settings) -> str:
    """What the newest snapshot is."""
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place

    newest = catalogue.read(open_place(settings)).snapshots[-1]
    manifest = newest.manifest
    return f"{manifest.id}, {manifest.rows:,} rows and {manifest.media_files} files encrypted, {newest.word}"


def _lose_the_stories(settings: Settings) -> str:
    """What a careless hand does at night: all stories, and whatever hangs on them."""
    from ledger_assets.connections import database

    with database(settings, purpose="demo") as connection:
        row = connection.execute("select count(*) from public.stories").fetchone()
        connection.execute("truncate public.stories cascade")
        connection.commit()
    assert row is not None
    return f"{row[0]} stories"


def make_base(settings: Settings, scale: int) -> None:
    """Make the synthetic base of about ``scale`` records. Raises SettingsError where there is one already."""
    from ledger_assets.demo.base import create_base
    from ledger_assets.demo.parts import base_path

    path = base_path(settings.home, settings.profile.value)
    if path.exists():
        raise SettingsError(
            f"--scale: there is a synthetic base already; delete {path.parent} or set another LEDGER_HOME"
        )
    create_base(path, scale=scale, shape=settings.profile.value, base_id=settings.airtable.base_id)


def demo_settings() -> Settings:
    """Staging's settings. Raises SettingsError where real ones are set: the demo is for the synthetic base alone."""
    settings = read_settings(Environment.STAGING)
    if not settings.airtable.synthetic or settings.database_url is not None:
        raise SettingsError(
            "the demo uses the synthetic base and the embedded Postgres alone: unset AIRTABLE_API_KEY, "
            "AIRTABLE_BASE_ID, AIRTABLE_ENDPOINT_URL and STAGING_DATABASE_URL, or set another LEDGER_HOME in a clean shell"
        )
    return settings


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the web UI."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def ui(port: int, host: str) -> None:
    """Start the embedded parts, the Dagster web server and the daemon; stop them all with Ctrl-C."""
    from ledger_assets.demo.parts import EmbeddedParts
    from ledger_assets.files import project_file

    home = read_home(os.environ)
    read_shape()  # a wrong profile breaks both code locations: say so before anything starts
    open_log(home)
    _refuse_taken(host, port)
    with EmbeddedParts(home) as parts, dagster_home(home):
        for environment in Environment:
            _start_parts(environment, parts)
        workspace = str(project_file("workspace.yaml"))
        log = (home / "logs" / "dagster-ui.log").open("ab")
        commands = (
            ["dagster-webserver", "-h", host, "-p", str(port), "-w", workspace],
            ["dagster-daemon", "run", "-w", workspace],
        )
        children = [
            subprocess.Popen(
                [sys.executable, "-m", *_module(command)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            for command in commands
        ]
        try:
            _wait_until_open(host, port, children, home)
            console.print(
                f"Dagster is at http://{host}:{port} (stop with Ctrl-C; log: {home / 'logs' / 'dagster-ui.log'})"
            )
            while all(child.poll() is None for child in children):
                time.sleep(0.5)
            raise LedgerError(
                f"the web server or the daemon stopped by itself: see {home / 'logs' / 'dagster-ui.log'}"
            )
        except KeyboardInterrupt:
            console.print("stopping")
        finally:
            _stop(children)
            log.close()


def _start_parts(environment: Environment, parts: EmbeddedParts) -> None:
    """Start what the environment embeds; where its settings are wrong, its runs will say the same line."""
    from ledger_assets import connections

    try:
        settings = read_settings(environment)
        connections.pin_any_base(settings)
    except LedgerError as error:
        console.print(f"{environment} is not set up: {error}")
        return
    if settings.airtable.synthetic:
        parts.airtable(shape=settings.profile.value)
    if settings.database_url is None:
        with connections.database(settings, purpose="ui"):
            pass  # the embedded database gets its schema when it is first opened


def _module(command: list[str]) -> list[str]:
    """A Dagster console script as ``-m module``: scripts may not be on the PATH."""
    name, *rest = command
    return [{"dagster-webserver": "dagster_webserver", "dagster-daemon": "dagster._daemon"}[name], *rest]


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"--port {port} on {host} cannot be used ({error.strerror}): choose another one"
            ) from None


def _wait_until_open(host: str, port: int, children: list[subprocess.Popen[bytes]], home: object) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any(child.poll() is not None for child in children):
            raise LedgerError(f"Dagster did not start: see {home}/logs/dagster-ui.log")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((host, port)) == 0:
                return
        time.sleep(0.2)
    raise LedgerError(f"the web server did not answer within 120 s: see {home}/logs/dagster-ui.log")


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    """End the children and what they started: each has a session of its own."""
    for child in children:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
