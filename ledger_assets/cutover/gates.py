"""What must hold before a cut-over touches anything: each refusal is one line with its remedy.

What belongs here: the gates. What does not: reading Dagster's event log (``assets.cutover``), the gates inside the night
(proof, access, health: the steps themselves).

Invariants: every gate is asked before the freeze; none changes anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ledger_assets.cutover.settings import CutoverSettings, read_cutover_settings
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import TargetError
from ledger_assets.moment import utc

if TYPE_CHECKING:
    import psycopg

HELD_AGAINST = ("full", "checkpoint", "emergency")


@dataclass(frozen=True)
class StagingProof:
    """The newest proof of staging, as Dagster's event log has it."""

    at: datetime
    passed: bool
    schema: str | None
    """The newest migration that staging had then."""
    run_id: str


def assert_ready(
    settings: Settings,
    connection: psycopg.Connection,
    *,
    confirm: str,
    base_is_read_only: bool,
    staging: StagingProof | None,
    limits: CutoverSettings,
    now: datetime,
) -> None:
    """Raises TargetError or SettingsError for the first gate that is shut."""
    from ledger_assets.cutover.design import assert_design
    from ledger_assets.lane import assert_confirmed

    assert_confirmed(settings, confirm, what="cut-over")
    _assert_not_live(settings, connection)
    assert_settings(settings)
    if not base_is_read_only:
        raise TargetError(
            "cut-over refused: first make the base read-only in Airtable (share everybody's access as read-only), then say "
            "so with --base-is-read-only (in the web UI: config base_is_read_only)"
        )
    schema = _assert_schema(settings, connection)
    _assert_ours(settings, connection)
    _assert_open(settings, connection)
    if settings.environment is Environment.PRODUCTION:
        _assert_staging(staging, schema, limits, now)
    _assert_snapshot(settings, limits, now)
    assert_webhooks(settings)
    assert_design(settings)


def _assert_not_live(settings: Settings, connection: psycopg.Connection) -> None:
    """Else its way back would lead the app to Airtable, away from what people have written here since."""
    from ledger_assets import switch
    from ledger_assets.cutover import state

    live = switch.live(connection)
    if live.source != "supabase":
        return
    name = f" --confirm {settings.target_name}" if settings.environment is Environment.PRODUCTION else ""
    last = state.latest(connection)
    if last is not None and last.state == "done" and live.run_id in last.runs:
        raise TargetError(
            f"cut-over refused: cut-over {last.id[:8]} is done, the app reads from here and people write; to take it back: "
            f"ledger-assets cutover {settings.environment} --back{name}"
        )
    raise TargetError(
        f"cut-over refused: the app reads from here already; first: ledger-assets switch {settings.environment} --to "
        f"airtable{name}"
    )


def ask(
    settings: Settings,
    connection: psycopg.Connection,
    *,
    confirm: str,
    base_is_read_only: bool,
    staging: StagingProof | None,
) -> None:
    """All gates, as they stand now. Raises as :func:`assert_ready`."""
    assert_ready(
        settings,
        connection,
        confirm=confirm,
        base_is_read_only=base_is_read_only,
        staging=staging,
        limits=read_cutover_settings(),
        now=datetime.now(UTC),
    )


def assert_settings(settings: Settings) -> None:
    """What later steps read: found wrong only there, it would undo a load that was good. Raises SettingsError."""
    from ledger_assets.announce.settings import page_place
    from ledger_assets.announce.window import AT, read_window
    from ledger_assets.switch import read_hooks

    read_hooks()
    if settings.environment is Environment.PRODUCTION:
        page_place(settings)
        if os.environ.get(AT, "").strip():
            read_window()


def _assert_schema(settings: Settings, connection: psycopg.Connection) -> str | None:
    from ledger_assets.load import schema

    pending = schema.pending(connection)
    if pending:
        raise TargetError(
            f"cut-over refused: {settings.target_name} lacks {len(pending)} migrations of this release; run: ledger-assets "
            f"schema apply {settings.environment}, and migrate staging once more"
        )
    return schema.version(connection)


def _assert_ours(settings: Settings, connection: psycopg.Connection) -> None:
    with connection.transaction():
        row = connection.execute("select environment, base_id from migration.target").fetchone()
    ours = (settings.environment.value, settings.airtable.base_id)
    if row is not None and row != ours:
        raise TargetError(
            f"cut-over refused: this database belongs to environment {row[0]}, base {row[1]}: check the database setting"
        )


def _assert_open(settings: Settings, connection: psycopg.Connection) -> None:
    from ledger_assets import freeze

    found = freeze.state(connection)
    if found.live and not found.leased:
        raise TargetError(
            f"cut-over refused: {found.described()} holds, and the cut-over freezes by itself: lift it first (ledger-assets "
            f"maintenance {settings.environment} off)"
        )


def _assert_staging(
    staging: StagingProof | None, schema: str | None, limits: CutoverSettings, now: datetime
) -> None:
    remedy = "run: ledger-assets migrate staging"
    if staging is None:
        raise TargetError(f"cut-over refused: staging was never proven on this machine; {remedy}")
    if not staging.passed:
        raise TargetError(
            f"cut-over refused: staging's newest proof (run {staging.run_id[:8]}) did not pass; {remedy}"
        )
    if staging.schema != schema:
        raise TargetError(
            f"cut-over refused: staging was proven at schema {staging.schema or 'unknown'}, production is at {schema}; "
            f"{remedy}"
        )
    age = now - staging.at
    if age > limits.staging_within:
        raise TargetError(
            f"cut-over refused: staging's proof is {age.total_seconds() / 3600:.0f} h old, more than "
            f"{limits.staging_within.total_seconds() / 3600:g} (CUTOVER_STAGING_HOURS); {remedy}"
        )


def _assert_snapshot(settings: Settings, limits: CutoverSettings, now: datetime) -> None:
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place

    good = [
        one.manifest.at
        for one in catalogue.read(open_place(settings)).snapshots
        if one.manifest.kind in HELD_AGAINST and one.verified_at is not None
    ]
    if not good or now - max(good) > limits.snapshot_within:
        found = "there is none" if not good else f"the newest is of {utc(max(good))}"
        raise TargetError(
            f"cut-over refused: a verified snapshot of the last {limits.snapshot_within.total_seconds() / 3600:g} h is "
            f"needed (CUTOVER_SNAPSHOT_HOURS), {found}; run: ledger-assets backup take {settings.environment} --kind full"
        )


def assert_webhooks(settings: Settings) -> None:
    """The final sync and the look just before the switch read a webhook: a token without its scope is found out now.

    Raises SourceError naming the scope.
    """
    from ledger_assets import connections
    from ledger_assets.extract.webhooks import webhooks

    with connections.airtable_client(settings) as client:
        webhooks(client)
