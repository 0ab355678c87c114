"""How old the way back is, what would be lost, and how long going back takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ledger_assets.backup.catalogue import Catalogue, Said, Snapshot, State
from ledger_assets.backup.manifest import Manifest, new_id
from ledger_assets.health import way_back
from ledger_assets.health.context import Context
from ledger_assets.health.facts import Rehearsed, RunFacts
from tests.health.hands import Make
from tests.schema.world import World


def snapshot(at: datetime, kind: str = "full", *, state: State | None = State.VERIFIED) -> Snapshot:
    """A snapshot as the catalogue tells of it."""
    manifest = Manifest(
        id=new_id(kind, at), kind=kind, environment="staging", target="t", database="d", taken_at=at.isoformat(),
        reason="r", key_id="k", recipients=(), tool="18", server="18", schemas=("public",), schema_version=None,
        load_id=None, export_id=None, run_id=None, tables=1, rows=1, plain_bytes=1, seconds=1, media_files=0,
        media_bytes=0, objects={},
    )  # fmt: skip
    return Snapshot(manifest, () if state is None else (Said(state, at, ""),))


def listed(context: Context, *snapshots: Snapshot) -> Context:
    """The context with this list of snapshots, as if the bucket had just been read."""
    context.__dict__["snapshots"] = Catalogue(tuple(snapshots), (), (), ())
    return context


def test_an_old_snapshot_is_bad_and_one_that_was_never_restored_counts_for_nothing(context: Make) -> None:
    now = datetime.now(UTC)
    fresh, old = now - timedelta(hours=2), now - timedelta(hours=27)
    assert way_back.snapshot_age(listed(context(), snapshot(fresh))).state == "ok"
    assert way_back.snapshot_age(listed(context(), snapshot(old))).state == "bad"
    assert way_back.snapshot_age(listed(context())).state == "bad"
    for state in (None, State.CORRUPT):
        found = way_back.snapshot_age(listed(context(), snapshot(old), snapshot(fresh, state=state)))
        assert found.state == "bad"


def test_snapshots_that_cannot_be_read_are_bad(context: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKUP_ENCRYPTION_PASSWORD", raising=False)
    found = way_back.snapshot_age(context(database_url="postgresql://postgres@127.0.0.1:1/x"))
    assert found.state == "bad"
    assert "BACKUP_ENCRYPTION_PASSWORD is not set" in found.value


def test_the_recovery_point_is_the_work_since_the_newest_whole_snapshot(world: World, context: Make) -> None:
    now = datetime.now(UTC)
    assert way_back.recovery_point(listed(context())).value == "nothing was written yet"
    world.storyteller()
    written = datetime.now(UTC)
    assert way_back.recovery_point(listed(context())).state == "bad"
    after = way_back.recovery_point(listed(context(), snapshot(written + timedelta(seconds=1))))
    assert after.state == "ok"
    assert "nobody has written since" in after.value
    for hours, state in ((1.0, "ok"), (3.0, "warn"), (30.0, "bad")):
        then = listed(context(now=now + timedelta(hours=hours)), snapshot(now - timedelta(minutes=1)))
        assert way_back.recovery_point(then).state == state
    baseline = listed(context(), snapshot(written + timedelta(seconds=1), "baseline"))
    assert way_back.recovery_point(baseline).state == "bad"


@pytest.mark.parametrize(
    ("seconds", "passed", "days", "state"),
    [(40.0, True, 1, "ok"), (40.0, True, 60, "warn"), (40.0, False, 1, "bad"), (5 * 3600.0, True, 1, "bad")],
)
def test_the_recovery_time_is_what_the_last_rehearsal_took(
    context: Make, seconds: float, passed: bool, days: int, state: str
) -> None:
    now = datetime.now(UTC)
    rehearsed = Rehearsed(now - timedelta(days=days), "run-2", seconds, passed)
    found = way_back.recovery_time(context(runs=RunFacts(now, 0, (), rehearsed)))
    assert found.state == state


def test_a_recovery_that_was_never_rehearsed_is_to_be_looked_at(context: Make) -> None:
    found = way_back.recovery_time(context(runs=RunFacts(datetime.now(UTC), 0, ())))
    assert found.state == "warn"
    assert "backup rehearse staging" in found.remedy
    assert way_back.recovery_time(context()).state == "unknown"
