"""Plans of recovery: which snapshot each scenario chooses, what is restored, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ledger_assets.backup import beyond, merge, recover
from ledger_assets.backup.manifest import Manifest
from ledger_assets.backup.place import Place
from ledger_assets.backup.recover import Scenario
from ledger_assets.backup.restore import restore
from ledger_assets.backup.take import take
from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.load.connect import connect
from ledger_assets.storage import ObjectStore, open_store
from ledger_assets.tables import SPECS
from tests.backup import s3
from tests.backup.faults import places
from tests.proof.small_base import small_base
from tests.proof.world import publish

THEMES = "insert into public.themes (id, name) select gen_random_uuid(), 'theme ' || n from generate_series(1, 5) n"


@dataclass
class World:
    """A migrated database with five themes, and a place for its snapshots."""

    place: Place
    store: ObjectStore
    url: str
    live: psycopg.Connection

    def take(self, kind: str = "full") -> Manifest:
        manifest = take(self.place, self.store, self.url, kind=kind, reason="test")  # type: ignore[arg-type]  # one of the kinds
        assert places.verified(self.place, manifest).passed
        return manifest

    def do(self, statement: str, *, silently: bool = False) -> None:
        if silently:  # as somebody who goes past the triggers would: no line in the audit
            self.live.execute("alter table public.themes disable trigger user")
        self.live.execute(statement.encode())
        if silently:
            self.live.execute("alter table public.themes enable trigger user")
        self.live.commit()

    def names(self) -> list[str]:
        rows = self.live.execute("select name from public.themes order by name").fetchall()
        self.live.rollback()
        return [name for (name,) in rows]

    def restore(self, manifest: Manifest, mode: merge.Mode) -> None:
        restore(self.place, places.find(self.place, manifest), self.live, mode, who="test")

    def plan(self, scenario: Scenario) -> recover.Plan:
        return recover.make(self.place, self.store, self.live, scenario, now=datetime.now(UTC))

    def carry_out(self, plan: recover.Plan) -> None:
        recover.carry_out(self.place, self.live, recover.read(self.store, plan.id), who="test")


@pytest.fixture
def world(tmp_path: Path, database_url: str, scratch_url: str) -> Iterator[World]:
    store = open_store((tmp_path / "objects").as_uri())
    with connect(database_url, application_name="test") as live:
        made = World(places.local(tmp_path / "home", scratch_url=scratch_url), store, database_url, live)
        made.do(THEMES)
        yield made


def test_a_loss_is_recovered_from_before_it_although_newer_snapshots_are_of_what_is_left(
    world: World,
) -> None:
    whole = world.take()
    world.do("delete from public.themes where name <> 'theme 1'")
    world.take()
    world.take("emergency")
    world.do("insert into public.themes (id, name) values (gen_random_uuid(), 'theme 9')")
    plan = world.plan(Scenario.DATA_LOSS)
    assert (plan.snapshot_id, plan.modes) == (whole.id, ("lost",))
    world.carry_out(plan)
    assert world.names() == ["theme 1", "theme 2", "theme 3", "theme 4", "theme 5", "theme 9"]


def test_where_nothing_is_lost_nothing_is_planned(world: World) -> None:
    newest = world.take()
    plan = world.plan(Scenario.DATA_LOSS)
    assert (plan.snapshot_id, plan.modes) == (newest.id, ())


def test_values_that_nobody_wrote_come_back_and_what_people_wrote_stays(world: World) -> None:
    world.take()
    world.do("update public.themes set name = 'people''s' where name = 'theme 2'")
    assert world.plan(Scenario.DATA_CORRUPTION).modes == ()
    world.do("update public.themes set name = upper(name)", silently=True)
    plan = world.plan(Scenario.DATA_CORRUPTION)
    assert plan.modes == ("table public.themes",)
    world.carry_out(plan)
    assert world.names() == [f"theme {n}" for n in range(1, 6)]


def test_a_bad_migration_goes_back_to_its_checkpoint_exactly(world: World) -> None:
    checkpoint = world.take("checkpoint")
    world.do("update public.themes set name = 'wrong ' || name where name < 'theme 3'")
    world.do("insert into public.themes (id, name) values (gen_random_uuid(), 'wrong')")
    world.take()
    plan = world.plan(Scenario.BAD_MIGRATION)
    assert (plan.snapshot_id, plan.modes) == (checkpoint.id, ("exact",))
    world.carry_out(plan)
    assert world.names() == [f"theme {n}" for n in range(1, 6)]


def test_a_database_that_is_as_in_its_newest_snapshot_is_not_emptied_to_an_older_one(world: World) -> None:
    world.take()
    world.do("insert into public.themes (id, name) values (gen_random_uuid(), 'theme 9')")
    newest = world.take()
    plan = world.plan(Scenario.RANSOMWARE)
    assert (plan.snapshot_id, plan.modes) == (newest.id, ())
    assert "is as in its newest verified snapshot" in plan.extent[0]
    world.do("update public.themes set name = 'pay us'", silently=True)
    plan = world.plan(Scenario.RANSOMWARE)
    assert (plan.snapshot_id, plan.modes) == (newest.id, ("exact",))
    world.carry_out(plan)
    assert world.names() == [*(f"theme {n}" for n in range(1, 6)), "theme 9"]


def test_what_erasing_did_to_the_copy_is_no_loss_and_never_comes_into_the_history(world: World) -> None:
    world.take()
    (gone,) = world.live.execute("select id::text from public.themes where name = 'theme 1'").fetchall()[0]
    world.live.rollback()
    places.list_erasure(world.place, datetime.now(UTC), ("themes", gone))
    world.do("delete from public.themes where name = 'theme 1'")
    history = [line for line in world.plan(Scenario.DATA_LOSS).extent if line.startswith("audit.")]
    assert len(history) == 2
    assert all("would bring back 0," in line for line in history)


def test_an_emergency_snapshot_is_the_last_choice(world: World) -> None:
    emergency = world.take("emergency")
    world.do("delete from public.themes")
    assert world.plan(Scenario.DATA_LOSS).snapshot_id == emergency.id


def test_without_a_verified_snapshot_of_this_database_there_is_no_plan(world: World) -> None:
    take(world.place, world.store, world.url, kind="full", reason="never verified")
    with pytest.raises(StoreError, match="no verified snapshot"):
        world.plan(Scenario.DATA_LOSS)


def test_a_plan_of_yesterday_or_of_another_database_is_refused(world: World, empty_database_url: str) -> None:
    world.take()
    world.do("delete from public.themes")
    plan = world.plan(Scenario.DATA_LOSS)
    with pytest.raises(SettingsError, match="older than a day"):
        recover.carry_out(
            world.place, world.live, plan, who="test", clock=lambda: datetime.now(UTC) + timedelta(hours=25)
        )
    with (
        connect(empty_database_url, application_name="test") as other,
        pytest.raises(SettingsError, match="another database"),
    ):
        recover.carry_out(world.place, other, plan, who="test")
    assert world.names() == []


@pytest.mark.parametrize(
    "mode", [merge.LOST, merge.EXACT, merge.Mode.of_table("stories"), merge.Mode.of_storyteller("recA")]
)
def test_a_mode_is_read_as_it_prints(mode: merge.Mode) -> None:
    assert recover.mode_of(str(mode)) == mode


def test_a_lost_region_needs_no_database(world: World) -> None:
    with pytest.raises(StoreError, match="holds no verified snapshot"):
        beyond.of_a_lost_region(world.place, world.store, now=datetime.now(UTC))
    newest = world.take()
    plan = beyond.of_a_lost_region(world.place, world.store, now=datetime.now(UTC))
    assert (plan.snapshot_id, plan.modes) == (newest.id, ("into",))


def test_of_a_lost_region_a_database_in_trouble_is_the_last_choice_and_every_choice_is_told(
    world: World,
) -> None:
    emergency = world.take("emergency")
    assert (
        beyond.of_a_lost_region(world.place, world.store, now=datetime.now(UTC)).snapshot_id == emergency.id
    )
    whole = world.take()
    world.do("delete from public.themes")
    later = world.take("emergency")
    plan = beyond.of_a_lost_region(world.place, world.store, now=datetime.now(UTC))
    assert plan.snapshot_id == whole.id
    assert [line.split(",")[0] for line in plan.extent[1:]] == [
        f"another choice: {later.id}",
        f"another choice: {emergency.id}",
    ]


def test_a_lost_region_is_planned_for_also_when_the_objects_are_lost_with_it(world: World) -> None:
    def refuse(_what: str, _key: str) -> None:
        raise StoreError("the bucket is gone")

    newest = world.take()
    lost = places.Watched(world.store, refuse)
    assert beyond.of_a_lost_region(world.place, lost, now=datetime.now(UTC)).snapshot_id == newest.id


def test_tampered_objects_are_brought_back_before_the_database_is_looked_at(
    tmp_path: Path, moto_server: s3.Server, tiny_url: str, scratch_url: str, files: ObjectStore
) -> None:
    bucket = moto_server.bucket()
    moto_server.client().put_bucket_versioning(
        Bucket=s3.bucket_name(bucket), VersioningConfiguration={"Status": "Enabled"}
    )
    place = places.place_at(tmp_path / "home", bucket, scratch_url=scratch_url)
    manifest = places.taken(place, files, tiny_url)
    now = datetime.now(UTC)
    assert beyond.of_tampered_objects(place.backup, files, now=now) is None
    for info in list(place.vault.list("")):
        place.vault.put(info.key, b"pay us")
    plan = beyond.of_tampered_objects(place.backup, files, now=now)
    assert plan is not None
    assert plan.modes == ("objects",)
    assert "overwritten" in plan.extent[0]
    assert beyond.bring_back_objects(place.backup, now=now) > 10
    assert places.verified(place, manifest).passed


def test_a_restore_in_between_hides_no_corruption(world: World) -> None:
    before = world.take()
    world.do("truncate public.themes cascade")
    world.restore(before, merge.LOST)
    world.restore(before, merge.Mode.of_table("themes"))
    world.do("truncate public.themes cascade")
    world.restore(before, merge.EXACT)
    assert world.plan(Scenario.DATA_CORRUPTION).modes == ()
    world.do("update public.themes set name = upper(name)", silently=True)
    assert world.plan(Scenario.DATA_CORRUPTION).modes == ("table public.themes",)


@pytest.mark.parametrize("taken_back", [False, True])
def test_what_a_load_has_written_since_is_no_corruption(world: World, taken_back: bool) -> None:
    base = small_base()
    before = world.take()
    publish(world.live, world.store, base, SPECS)
    world.take()
    if taken_back:
        world.restore(before, merge.EXACT)
    theme = next(iter(base.records["Themes"].values()))
    theme["Theme Name"] += " anew"
    publish(world.live, world.store, base, SPECS)
    assert world.plan(Scenario.DATA_CORRUPTION).modes == ()
    if not taken_back:  # after that each row was written anew, which hides what was written besides
        world.do("update public.themes set name = upper(name)", silently=True)
        assert world.plan(Scenario.DATA_CORRUPTION).modes == ("table public.themes",)
