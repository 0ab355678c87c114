"""The roadmap's technical criteria: nothing lost, tests passed, fast enough, backed up, access enforced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ledger_assets import events
from ledger_assets.health import way_back
from ledger_assets.health.context import Context
from ledger_assets.load.history import last_load
from ledger_assets.moment import utc
from ledger_assets.scorecard.model import Criterion

if TYPE_CHECKING:
    from ledger_assets.access.report import AccessReport

TESTS = "tests.xml"
"""In LEDGER_HOME: what pytest wrote of its last run."""
TESTS_AGE = timedelta(days=14)
LOADTEST_AGE = timedelta(days=30)
"""An older one speaks of another volume."""

Access = Callable[[], "AccessReport"]


def no_loss(context: Context) -> Criterion:
    """The proof of the last load, read back from Postgres."""
    name, command = (
        "Zero data loss during migration",
        f"ledger-assets verify {context.settings.environment}",
    )
    load = last_load(context.connection)
    if load is None:
        said = "nothing was loaded yet"
        return Criterion(
            name, "technical", "unknown", said, f"ledger-assets migrate {context.settings.environment}"
        )
    row = context.connection.execute(
        "select run_id, made_at, passed, document ->> 'headline' from migration.reports where kind = 'proof' "
        "and made_at >= %s order by report_id desc limit 1",
        (load.committed_at,),
    ).fetchone()
    if row is None:
        said = f"load {load.load_id} of {_time(load.committed_at)} was not proven since"
        return Criterion(name, "technical", "unknown", said, command)
    run_id, made_at, passed, headline = row
    said = f"proof of {_time(made_at)} (run {str(run_id)[:8]}) of load {load.load_id}: {headline}"
    return Criterion(name, "technical", "met" if passed else "not met", said, "" if passed else command)


def tests(context: Context) -> Criterion:
    """What pytest recorded of the last run of the tests on this machine."""
    name = "All automated tests passing"
    command = f"PYTEST_ADDOPTS=--junitxml={context.settings.home / TESTS} make test"
    found = read_tests(context.settings.home / TESTS)
    if found is None:
        said = f"no record of a run ({TESTS} in LEDGER_HOME)"
        return Criterion(name, "technical", "unknown", said, command)
    at, number, failed = found
    said = f"{number - failed:,} of {number:,} passed on {_time(at)} ({TESTS})"
    if failed:
        return Criterion(name, "technical", "not met", said, command)
    if context.now - at > TESTS_AGE:
        old = f"{said}, more than {TESTS_AGE.days} days ago"
        return Criterion(name, "technical", "unknown", old, command)
    return Criterion(name, "technical", "met" if number else "unknown", said, "" if number else command)


def read_tests(path: Path) -> tuple[datetime, int, int] | None:
    """When, how many tests, how many failed; None where there is no record that can be read."""
    try:
        suites = list(ElementTree.parse(path).getroot().iter("testsuite"))  # noqa: S314 - pytest wrote it, here
        at = datetime.fromisoformat(suites[0].attrib["timestamp"]).astimezone()
        numbers = [[int(one.attrib[key]) for key in ("tests", "failures", "errors")] for one in suites]
    except (OSError, ElementTree.ParseError, LookupError, ValueError):
        return None
    return at, sum(one[0] for one in numbers), sum(one[1] + one[2] for one in numbers)


def performance(context: Context) -> Criterion:
    """The last load test of this database."""
    name = "Query performance within acceptable ranges"
    command = f"ledger-assets loadtest {context.settings.environment}"
    known = [
        one
        for one in events.read(context.connection, actions=["loadtest"])
        if one.outcome in ("done", "failed")
    ]
    if not known:
        return Criterion(name, "technical", "unknown", "no load test was recorded", command)
    last = known[-1]
    told = last.detail
    said = (
        f"load test of {_time(last.at)} (event {last.id}): {told['calls']:,} calls by {told['sessions']} sessions, "
        f"slowest p95 {told['slowest_p95_ms']:.0f} ms, {told['failed']} failed; {told['published']:,} published stories"
    )
    if last.outcome == "failed":
        return Criterion(name, "technical", "not met", said, command)
    if not told["published"]:
        return Criterion(name, "technical", "unknown", f"{said}: asked of nothing", command)
    load = last_load(context.connection, full=True)
    if context.now - last.at > LOADTEST_AGE or (load is not None and last.at < load.committed_at):
        return Criterion(name, "technical", "unknown", f"{said}; too old, or loaded since", command)
    return Criterion(name, "technical", "met", said)


def backups(context: Context) -> Criterion:
    """The age of the newest verified snapshot."""
    found = way_back.snapshot_age(context)
    met = found.state == "ok"
    said = f"{found.value} ({found.threshold})"
    return Criterion(
        "Backup system operational",
        "technical",
        "met" if met else "not met",
        said,
        "" if met else found.remedy,
    )


def access(context: Context, try_now: Access) -> Criterion:
    """The access matrix, played in the database just now and rolled back; what the last run said of it beside that.

    Asked anew each time: nothing tells when a policy was last changed by hand.
    """
    name = "RLS policies enforced correctly"
    report = try_now()
    differing = len(report.differences)
    said = f"the access matrix, tried just now: {report.cells:,} cells, {differing} differ"
    said += f", {len(report.not_run)} not tried" if report.not_run else ""
    last = None if context.runs is None else context.runs.access
    if last is not None:
        word = "passed" if last.passed else "failed"
        said += f"; check access of {_time(last.at)} (run {last.run_id[:8]}) {word}"
    if report.passed:
        return Criterion(name, "technical", "met", said)
    named = "; ".join(report.lines[:3])
    command = f"ledger-assets schema verify {context.settings.environment}"
    return Criterion(name, "technical", "not met", f"{said}: {named}", command)


def _time(moment: datetime) -> str:
    return utc(moment)
