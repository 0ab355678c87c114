"""What must hold before a cut-over touches anything, gate by gate."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ledger_assets import doctor, freeze, switch
from ledger_assets.cutover import gates
from ledger_assets.cutover.gates import StagingProof
from ledger_assets.cutover.settings import read_cutover_settings
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Environment, read_settings
from ledger_assets.errors import SettingsError, SourceError, TargetError
from ledger_assets.load.schema import version

from .conftest import staging_of

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


def proof(schema: str | None, *, passed: bool = True, hours: float = 1) -> StagingProof:
    return StagingProof(NOW - timedelta(hours=hours), passed, schema, "0123456789abcdef")


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("none", "staging was never proven on this machine"),
        ("failed", r"staging's newest proof \(run 01234567\) did not pass"),
        ("other", "staging was proven at schema 20260101000000, production is at"),
        ("unknown", "staging was proven at schema unknown"),
        ("old", "staging's proof is 169 h old"),
    ],
)
def test_staging_must_have_been_proven_lately_at_the_same_schema(
    conn: psycopg.Connection, tmp_path: Path, which: str, said: str
) -> None:
    here = version(conn)
    found = {
        "none": None,
        "failed": proof(here, passed=False),
        "other": proof("20260101000000"),
        "unknown": proof(None),
        "old": proof(here, hours=169),
    }[which]
    settings = read_settings(Environment.PRODUCTION, {"LEDGER_HOME": str(tmp_path)})
    with pytest.raises(TargetError, match=said) as refused:
        gates.assert_ready(
            settings,
            conn,
            confirm="ledger_production",
            base_is_read_only=True,
            staging=found,
            limits=read_cutover_settings({}),
            now=NOW,
        )
    assert re.search("ledger-assets migrate staging$", str(refused.value))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"DEPLOY_HOOK_URLS": "https://example.org/hook"}, "DEPLOY_HOOK_SECRET is not set"),
        ({"BACKUP_BUCKET": "s3://theirs/a", "STATUS_PAGE_URL": "s3://theirs"}, "the bucket of BACKUP_BUCKET"),
        (
            {"BACKUP_BUCKET": "s3://theirs", "STATUS_PAGE_URL": "s3://theirs/page"},
            "the bucket of BACKUP_BUCKET",
        ),
        (
            {"BACKUP_BUCKET": "file:///srv/b", "STATUS_PAGE_URL": "file:///srv/b/page"},
            "that of BACKUP_BUCKET",
        ),
        ({"STATUS_PAGE_URL": "/srv/page"}, "STATUS_PAGE_URL: write it as"),
        ({"MIGRATION_AT": "soon"}, "MIGRATION_AT: 'soon' is not a time"),
    ],
)
def test_settings_that_the_night_would_read_later_are_refused_before_it(
    conn: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    said: str,
) -> None:
    for name, value in {"AWS_REGION": "ap-southeast-2", **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said):
        ready(conn, tmp_path)


def test_a_database_that_the_app_reads_already_is_refused(conn: psycopg.Connection, tmp_path: Path) -> None:
    """Else its way back would lead the app away from what people have written here."""
    switch.switch(conn, "supabase", token=None, who="a tester", run_id=None)
    with pytest.raises(
        TargetError, match="the app reads from here already; first: ledger-assets switch production --to"
    ):
        ready(conn, tmp_path)


def ready(conn: psycopg.Connection, tmp_path: Path) -> None:
    gates.assert_ready(
        read_settings(Environment.PRODUCTION, {"LEDGER_HOME": str(tmp_path)}),
        conn,
        confirm="ledger_production",
        base_is_read_only=True,
        staging=proof(version(conn)),
        limits=read_cutover_settings({}),
        now=NOW,
    )


def test_a_freeze_by_hand_is_lifted_first(conn: psycopg.Connection, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="a verified snapshot"):  # a later gate
        ready(conn, tmp_path)
    freeze.on(conn, reason="by hand", who="the owner")
    with pytest.raises(TargetError, match=r"the manual freeze of the owner .*maintenance production off\)$"):
        ready(conn, tmp_path)


def test_doctor_reads_what_the_cut_over_will_ask_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings(Environment.PRODUCTION, {"LEDGER_HOME": str(tmp_path)})
    monkeypatch.setenv("CUTOVER_STAGING_HOURS", "72")
    (line,) = doctor.PROBES["cut-over"](settings)
    assert line.ok
    assert "the last 72 h, and a verified snapshot of the last 26 h" in line.found
    monkeypatch.setenv("CUTOVER_SNAPSHOT_HOURS", "soon")
    with pytest.raises(SettingsError, match="CUTOVER_SNAPSHOT_HOURS: 'soon' is not a number of hours"):
        list(doctor.PROBES["cut-over"](settings))


def test_a_token_that_may_not_read_webhooks_is_refused_by_the_scope_s_name(
    airtable: LocalAirtable, tmp_path: Path
) -> None:
    airtable.faults.add("/webhooks", 403, '{"error":{"type":"INVALID_PERMISSIONS"}}', times=None)
    settings = staging_of(airtable, tmp_path)
    with pytest.raises(SourceError, match="webhook:manage"):
        gates.assert_webhooks(settings)
    airtable.faults.clear()
    gates.assert_webhooks(settings)
