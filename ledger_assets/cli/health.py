"""Commands that measure: health, loadtest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from ledger_assets.cli.session import (
    console,
    environment_argument,
    errors,
    instance,
    json_option,
    settings_for,
)
from ledger_assets.cli.tables import table
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed, SettingsError, TargetError

if TYPE_CHECKING:
    from ledger_assets.health import Report
    from ledger_assets.loadtest.model import Result

STYLES = {"ok": "green", "warn": "yellow", "bad": "red", "unknown": "dim"}
WORDS = {"ok": "ok", "warn": "look", "bad": "bad", "unknown": "?"}


@click.command()
@environment_argument
@click.option(
    "--watch", is_flag=True, help="Look again and again; stop when something is bad twice in a row."
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, 10_080),
    default=120,
    show_default=True,
    help="How long --watch looks.",
)
@click.option(
    "--every",
    type=click.FloatRange(1, 3600),
    default=60,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option(
    "--page", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Also write the page."
)
@json_option
def health(
    environment: Environment, watch: bool, minutes: float, every: float, page: Path | None, as_json: bool
) -> None:
    """Is everything well? Each measure with its state, its threshold and what to do. Changes nothing.

    Connections, locks, replication, slow queries, indexes; runs, migration, findings, freeze; consent; the way back;
    Airtable's calls. Exit 0: nothing is bad. 1: something is; each line says what to do. 2: it could not be looked at.

    \b
    ledger-assets health production
    ledger-assets health production --watch --minutes 120
    """
    from ledger_assets import connections, monitoring
    from ledger_assets.health import watch as watch_for
    from ledger_assets.health.page import render
    from ledger_assets.run_facts import run_facts

    settings = settings_for(environment)
    store = connections.object_store(settings)
    lost: list[TargetError] = []
    with instance(settings.home) as dagster_instance:

        def look() -> Report:
            runs = run_facts(dagster_instance, environment)
            try:
                report = monitoring.look(settings, store, runs=runs).report
            except TargetError as error:
                if not watch:
                    raise
                lost[:] = [error]
                return monitoring.unreachable(settings, error)
            lost.clear()
            return report

        def tell(report: Report) -> None:
            if page is not None:
                _write(page, render(report))
            if watch:
                errors.print(f"{report.at:%H:%M:%S} UTC: {report.headline}")

        watched = watch_for(look, minutes if watch else 0, every, tell=tell)
    if as_json:
        console.print_json(json.dumps(watched.last.document()))
    else:
        _print(watched.last)
    if lost:
        raise lost[0]
    if not watched.last.passed:
        twice = " twice in a row" if watched.stopped else ""
        raise CheckFailed(f"bad{twice}: {', '.join(watched.last.bad)}")


def _write(page: Path, text: str) -> None:
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"--page {page} cannot be written: {error.strerror}") from None


def _print(report: Report) -> None:
    shown = table("", "measure", "found")
    for one in report.measures:
        shown.add_row(Text(WORDS[one.state], STYLES[one.state]), one.name, one.value)
        if one.state != "ok" and one.remedy:
            shown.add_row("", "", Text(f"do: {one.remedy}", "bold" if one.state == "bad" else ""))
    console.print(shown)
    console.print(report.headline)


@click.command()
@environment_argument
@click.option(
    "--seconds", type=click.FloatRange(1, 600), default=30, show_default=True, help="Ends after so many."
)
@click.option(
    "--sessions", type=click.IntRange(1, 32), default=4, show_default=True, help="How many ask at once."
)
@click.option(
    "--calls", type=click.IntRange(1, 1_000_000), help="Ends after so many calls, if that is sooner."
)
@click.option("--confirm", metavar="NAME", default="", help="Production: the target database's own name.")
@json_option
def loadtest(
    environment: Environment, seconds: float, sessions: int, calls: int | None, confirm: str, as_json: bool
) -> None:
    """Ask the app's queries of the database as the app's roles do, and say how long they take.

    As anon and as a real account (the first that has claimed a storyteller), every policy on, with the API's own limits
    of 3 and 8 seconds, in read-only transactions that are rolled back. Exit 1: a query was slower than 500 ms for one
    call of twenty, or failed.
    """
    from ledger_assets import lane, load_tests

    settings = settings_for(environment)
    lane.assert_confirmed(settings, confirm, what="load test")
    found = load_tests.run(settings, seconds=seconds, sessions=sessions, calls=calls)
    if as_json:
        console.print_json(json.dumps(found.document()))
    else:
        _print_result(found)
    if not found.passed:
        raise CheckFailed("; ".join(found.problems[:3]))


def _print_result(found: Result) -> None:
    shown = table("query", "as", ">calls", ">p50 ms", ">p95 ms", ">p99 ms", "errors")
    for one in found.timings:
        times = (f"{one.p50:,.1f}", f"{one.p95:,.1f}", f"{one.p99:,.1f}") if one.calls else ("", "", "")
        wrong = ", ".join(f"{count} x {state}" for state, count in sorted(one.errors.items()))
        shown.add_row(one.name, one.role, f"{one.calls:,}", *times, Text(wrong, "red"))
    console.print(shown)
    for line in (*found.notes, *(f"no index: {one}" for one in found.unindexed)):
        console.print(line)
    console.print(
        f"{found.calls:,} calls by {found.sessions} sessions in {found.seconds:.1f} s "
        f"({found.calls / max(found.seconds, 0.001):,.0f} a second), {found.failed:,} failed"
    )
