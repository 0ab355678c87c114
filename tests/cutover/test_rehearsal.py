"""A rehearsal leaves no trace in production, whether it is killed, fails or passes."""

from __future__ import annotations

from ledger_assets import connections

from .conftest import Night


def everything(night: Night) -> dict[str, list[str]]:
    """Every row of every table of ours, but for the record of what was done."""
    with connections.database(night.settings, purpose="test") as connection:
        tables = connection.execute(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables where schemaname in "
            "('public', 'airtable', 'audit', 'migration', 'auth', 'supabase_migrations') "
            "and (schemaname, tablename) <> ('migration', 'events')"
        ).fetchall()
        return {
            table: sorted(row[0] for row in connection.execute(f"select t::text from {table} t".encode()))
            for (table,) in tables
        }


def test_killed_failed_or_passed_it_leaves_no_trace_in_production(night: Night) -> None:
    before = everything(night)
    scratch = night.settings.home / "scratch"

    night.kill("rehearse", "ledger_assets.lane:load_into:after")
    assert everything(night) == before
    assert len([one for one in scratch.iterdir() if one.is_dir()]) == 1

    failed = night.command("cutover", "production", "--rehearse", LEDGER_DATABASE_GB="0.000001")
    assert (failed.returncode, "the night would have stopped: health: database_size" in failed.stderr) == (
        1,
        True,
    )
    assert everything(night) == before
    assert list(scratch.iterdir()) == []

    passed = night.command("cutover", "production", "--rehearse")
    assert passed.returncode == 0, passed.stderr
    assert "writing would be frozen for" in passed.stdout
    assert everything(night) == before
    assert night.stands() == (None, "none", "airtable")
    assert night.query(
        "select array_agg(outcome order by event_id) from migration.events where action = 'cutover_rehearsal'"
    ) == [(["begun", "begun", "failed", "begun", "done"],)]
