"""What every command shares: the home, the redacted log, Dagster's own storage, the progress bars, a job's run."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.errors import CheckFailed, LedgerError
from ledger_assets.progress import listen

if TYPE_CHECKING:
    import dagster as dg

SECRETS = (
    "AIRTABLE_API_KEY",
    "DATABASE_URL",
    "STAGING_DATABASE_URL",
    "DAGSTER_POSTGRES_URL",
    "SCRATCH_DATABASE_URL",
    "BACKUP_ENCRYPTION_PASSWORD",
    "BACKUP_WEBHOOK_URL",
    "BACKUP_SMTP_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "DEPLOY_HOOK_SECRET",
    "DEPLOY_HOOK_URLS",
    "SUPABASE_SERVICE_KEY",
    "STAGING_SUPABASE_SERVICE_KEY",
    "MEDIA_ACCESS_KEY_ID",
    "MEDIA_SECRET_ACCESS_KEY",
)
HIDDEN = "[secret]"
PARALLEL = frozenset({"export", "final scan"})
"""Stages whose tables are worked on at once."""

# No markup: a table or field may be called "[x]".
console = Console(highlight=False, markup=False, soft_wrap=True, width=None if sys.stdout.isatty() else 140)
errors = Console(
    stderr=True, highlight=False, markup=False, soft_wrap=True, width=None if sys.stderr.isatty() else 140
)

ASKED: ContextVar[Environment | None] = ContextVar("asked", default=None)
"""The environment that this command was given: a remedy names it."""


def asked(environment: Environment) -> Environment:
    """Remember it."""
    ASKED.set(environment)
    return environment


environment_argument = click.argument(
    "environment",
    metavar="ENV",
    type=click.Choice([e.value for e in Environment]),
    callback=lambda _context, _parameter, value: asked(Environment(value)),
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for a program instead of a table."
)


class Redact(logging.Filter):
    """Replaces every secret of the settings, should one ever reach a log line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's text; never drop it."""
        text = record.getMessage()
        for secret in secrets():
            text = text.replace(secret, HIDDEN)
        record.msg, record.args = text, None
        # A traceback's last line is the exception's text, which may hold a row's values.
        record.exc_info, record.exc_text = None, None
        return True


class Log(logging.FileHandler):
    """The log file. One that cannot be written (disk full) must not bury the command's line under tracebacks."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Leave the record out."""


def secrets() -> list[str]:
    """The secret values now in the environment, longest first, passwords of URLs included."""
    from urllib.parse import unquote, urlsplit

    found: set[str] = set()
    for name in SECRETS:
        value = os.environ.get(name, "")
        for part in value.split(",") if name.endswith("_URLS") else [value]:
            found.add(part.strip())
            if "://" in part:
                password = urlsplit(part).password or ""
                found |= {password, unquote(password)}
    return sorted((value for value in found if len(value) > 3), key=len, reverse=True)


def settings_for(environment: Environment) -> Settings:
    """The environment's settings, its home made private, its log opened."""
    settings = read_settings(environment)
    open_log(settings.home)
    return settings


def open_log(home: Path) -> None:
    """Write a redacted log under ``<home>/logs``, one file a day, readable by its owner alone."""
    logger = logging.getLogger("ledger_assets")
    if logger.handlers:
        return
    try:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
        (home / "logs").mkdir(exist_ok=True, mode=0o700)
        handler = Log(home / "logs" / f"{datetime.now(UTC):%Y-%m-%d}.log", encoding="utf-8")
    except OSError as error:
        raise LedgerError(f"LEDGER_HOME: the folder {home} cannot be used: {error.strerror}") from None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(Redact())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


@contextmanager
def dagster_home(home: Path) -> Iterator[None]:
    """Point this process at the home's Dagster instance, with its storage running, before Dagster is imported."""
    from ledger_assets.demo.parts import EmbeddedParts
    from ledger_assets.files import project_file

    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(project_file("dagster.yaml"), folder / "dagster.yaml")
    with EmbeddedParts(home) as parts:
        cluster = parts.postgres()
        cluster.ensure_database("dagster", shim=False)
        url = cluster.url("dagster")
        before = {name: os.environ.get(name) for name in ("DAGSTER_HOME", "DAGSTER_POSTGRES_URL")}
        os.environ["DAGSTER_HOME"] = str(folder)
        # Dagster commits each of a run's 300 events by itself. An event lost in a crash of the server is no loss of
        # anybody's data: its disk is not waited for. The target databases keep the server's own setting.
        url += "&options=-csynchronous_commit%3Doff"
        os.environ["DAGSTER_POSTGRES_URL"] = url.replace("postgresql://", "postgresql+psycopg2://", 1)
        try:
            yield
        finally:  # its server stops with it: what comes after in this process must not ask it
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


@contextmanager
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The home's Dagster instance; runs that lost their process are reported first."""
    with dagster_home(home):
        import dagster as dg

        from ledger_assets.runs import report_lost_runs

        logging.getLogger("dagster").setLevel(logging.CRITICAL)
        with dg.DagsterInstance.get() as dagster_instance:
            for run_id in report_lost_runs(dagster_instance):
                errors.print(f"run {run_id[:8]} had lost its process and is now reported as failed")
            yield dagster_instance


def run_job(
    dagster_instance: dg.DagsterInstance,
    environment: Environment,
    job: str,
    *,
    run_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    tell: Callable[[str], None] = lambda _run_id: None,
) -> dg.DagsterRun:
    """Run a job with progress bars. Raises CheckFailed or LedgerError with the run's own words when it fails.

    ``tell`` prints what there is to say of the run (its id), before anything is raised.
    """
    from ledger_assets import connections, runs

    connections.pin_any_base(read_settings(environment))  # before the definitions are imported with the run
    with progress_bars():
        run = runs.run_job(dagster_instance, environment, job, run_config=run_config, tags=tags)
    tell(run.run_id)
    log = logging.getLogger("ledger_assets")
    log.info("run %s of %s_%s: %s", run.run_id, job, environment, run.status.value)
    if not run.is_success:
        found = runs.failures(dagster_instance, run.run_id) or [
            ("the run failed; its steps say why in the UI", 2)
        ]
        for line, _ in found:
            log.error("run %s: %s", run.run_id, line)
        kind: Callable[[str], LedgerError] = CheckFailed if found[0][1] == 1 else LedgerError
        more = f" (and {len(found) - 1} more, see run {run.run_id[:8]})" if len(found) > 1 else ""
        raise kind(found[0][0] + more)
    return run


def local_time(at: datetime) -> str:
    """A time as the community's clocks show it (``LEDGER_TIMEZONE``), and as the records of the night do."""
    from zoneinfo import ZoneInfo

    from ledger_assets.backup.settings import read_timezone

    return f"{at.astimezone(ZoneInfo(read_timezone())):%Y-%m-%d %H:%M:%S %Z} ({at.astimezone(UTC):%H:%M} UTC)"


def show_in_ui(settings: Settings, event: Callable[[], dg.AssetMaterialization]) -> None:
    """Log what a command did to an asset that no run makes. What it did stands, also where the UI cannot be told."""
    try:
        with instance(settings.home) as dagster_instance:
            dagster_instance.report_runless_asset_event(event())
    except Exception as error:  # noqa: BLE001 - the act is committed and recorded: its command must not fail by this
        kind = type(error).__name__
        logging.getLogger("ledger_assets").warning("the web UI was not told: %s", kind)
        errors.print(f"done and recorded, but the web UI was not told ({kind})")


def materialised(dagster_instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[dict[str, Any]]:
    """The metadata of what a run materialised, in order."""
    import dagster as dg

    records = dagster_instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    ).records
    found = [record.asset_materialization for record in records]
    return [{name: value.value for name, value in one.metadata.items()} for one in found if one is not None]


@contextmanager
def progress_bars() -> Iterator[None]:
    """Show the engine's progress on a terminal; on anything else nothing."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True) as bars:
        tasks: dict[tuple[str, str], Any] = {}

        def show(stage: str, label: str, done: int, total: int | None) -> None:
            # What runs at once has a bar each; what comes one after the other shares one.
            name = (stage, label) if stage in PARALLEL else (stage, "")
            if name not in tasks:
                tasks[name] = bars.add_task("", total=total)
            bars.update(tasks[name], description=f"{stage} {label}", completed=done, total=total)

        with listen(show):
            yield
