"""The drill brings a damaged copy back exactly, says how long it took, and touches nothing live."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from ledger_assets.backup import catalogue, merge, rehearse
from ledger_assets.backup.contents import read_contents
from ledger_assets.backup.place import Place
from ledger_assets.backup.settings import BackupSettings, BucketSettings
from ledger_assets.backup.vault import open_vault, set_up_key
from ledger_assets.demo.postgres import Cluster
from ledger_assets.environment import Environment, read_settings
from ledger_assets.erasure import register
from ledger_assets.load.connect import connect
from ledger_assets.schema.catalogue import SCHEMAS
from ledger_assets.storage import ObjectStore, open_store
from ledger_assets.tables import SPECS
from tests.proof.small_base import small_base
from tests.proof.world import publish
from tests.schema.telling import erase, whole_person
from tests.schema.world import World


@pytest.fixture
def place(tmp_path: Path) -> Place:
    home = tmp_path / "home"
    settings = read_settings(Environment.STAGING, {"LEDGER_HOME": str(home)})
    backup = BackupSettings(
        Environment.STAGING, home, BucketSettings((home / "backups" / "staging").as_uri()), None
    )
    vault = open_vault(backup)
    return Place(settings, backup, vault, set_up_key(vault, backup))


@pytest.fixture
def filled(database_url: str, tmp_path: Path) -> str:
    # Without the rows of the access matrix: the drill tries it itself.
    with connect(database_url, application_name="tests") as conn:
        publish(conn, open_store((tmp_path / "objects").as_uri()), small_base(), SPECS)
        conn.commit()
    return database_url


@pytest.fixture
def objects(filled: str, tmp_path: Path) -> ObjectStore:
    """Where the files of the loaded base lie."""
    return open_store((tmp_path / "objects").as_uri())


def held(url: str) -> bytes:
    with psycopg.connect(url) as conn:
        return read_contents(conn, SCHEMAS).to_json()


def test_a_drill_takes_a_snapshot_where_there_is_none_and_uses_it_again(
    place: Place, objects: ObjectStore, filled: str
) -> None:
    before = held(filled)

    first = rehearse.rehearse(place, objects, filled)
    second = rehearse.rehearse(place, objects, filled)

    assert first.problems == second.problems == ()
    assert first.passed
    assert first.brought_back > 20
    assert first.take_seconds is not None
    assert second.take_seconds is None
    assert first.snapshot_id == second.snapshot_id
    assert 0 < first.restore_seconds < first.recover_seconds
    assert [one.id for one in catalogue.read(place).snapshots] == [first.snapshot_id]
    assert held(filled) == before


def test_a_fresh_drill_takes_a_snapshot_of_its_own(place: Place, objects: ObjectStore, filled: str) -> None:
    first = rehearse.rehearse(place, objects, filled)
    with psycopg.connect(filled) as conn:
        conn.execute("update public.themes set name = name || ' again'")

    second = rehearse.rehearse(place, objects, filled, fresh=True)

    assert second.passed
    assert second.snapshot_id != first.snapshot_id


def test_a_drill_that_brings_back_too_little_fails(
    place: Place, objects: ObjectStore, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "EXACT", merge.LOST)

    done = rehearse.rehearse(place, objects, filled)

    assert not done.passed
    assert any(line.startswith("table public.storytellers: ") for line in done.problems)


def test_a_drill_that_would_open_the_database_to_everybody_fails(
    place: Place, objects: ObjectStore, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearse, "judge", lambda _: ["anon may read public.stories"])

    done = rehearse.rehearse(place, objects, filled)

    assert "anon may read public.stories" in done.problems[0]


def test_a_drill_with_a_snapshot_of_before_an_erasure_brings_nobody_back(
    place: Place, store: ObjectStore, database_url: str, cluster: Cluster
) -> None:
    name = str(psycopg.conninfo.conninfo_to_dict(database_url)["dbname"])
    with psycopg.connect(database_url, autocommit=True) as owner:
        world = World(owner, cluster.admin_url(name))
        person, _ = whole_person(world, "zyzzyva")
        whole_person(world, "quokka")
        first = rehearse.rehearse(place, store, database_url)
        erase(world, "storyteller", storyteller_id=person)
    with psycopg.connect(database_url) as conn:
        register.publish(conn, place.vault, place.identity)

    second = rehearse.rehearse(place, store, database_url)

    assert first.problems == second.problems == ()
    assert second.snapshot_id == first.snapshot_id
    assert second.rows < first.rows
