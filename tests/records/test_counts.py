"""A database in numbers, kept with its moment, compared with another."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.records import kept
from ledger_assets.records.compared import changed, compare
from ledger_assets.records.database import DatabaseInventory, count
from ledger_assets.storage import ObjectStore
from tests.schema.world import World

MARCH = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)


def counted(conn: psycopg.Connection, at: datetime = MARCH) -> DatabaseInventory:
    return count(conn, environment="staging", target="ledger_staging", now=at)


def test_rows_relations_accounts_and_projects_are_counted(world: World, conn: psycopg.Connection) -> None:
    empty = counted(conn)
    assert set(empty.relations.values()) == {0}
    project = world.row("projects", name="Voices")
    world.row("projects", name="Empty")
    account = world.account()
    teller = world.storyteller(account=account, project_id=project)
    world.story(teller, world.storyteller())
    found = counted(conn)
    assert found.tables["public.stories"] == 1
    assert found.tables["public.authorship"] == 2
    assert found.relations["authorship.storyteller_id -> storytellers"] == 2
    assert found.relations["storytellers.project_id -> projects"] == 1
    assert found.accounts["accounts"] == found.accounts["profiles"] == 1
    assert found.accounts["storytellers with an account"] == 1
    assert found.projects == {
        "projects": 2, "with stories or storytellers": 1, "people who work in them": 0
    }  # fmt: skip
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_who_signed_in_lately_is_told_where_the_platform_knows_it(
    world: World, conn: psycopg.Connection
) -> None:
    first, second = world.account(), world.account()
    with psycopg.connect(world.admin_url) as admin:
        admin.execute("alter table auth.users drop column last_sign_in_at")
    assert counted(conn).accounts["signed in within 30 days"] is None
    with psycopg.connect(world.admin_url) as admin:
        admin.execute("alter table auth.users add column last_sign_in_at timestamptz")
        for account, days in ((first, 3), (second, 45)):
            admin.execute(
                "update auth.users set last_sign_in_at = %s where id = %s",
                (MARCH - timedelta(days=days), account),
            )
    found = counted(conn).accounts
    assert (found["signed in within 30 days"], found["signed in within 90 days"]) == (1, 2)


def inventory(at: datetime, **tables: int) -> DatabaseInventory:
    return DatabaseInventory("staging", "t", at.isoformat(), dict(tables), {}, {"accounts": None}, {})


@pytest.fixture
def three(store: ObjectStore) -> ObjectStore:
    """Inventories of three hours."""
    for hour in (0, 1, 2):
        kept.keep(store, inventory(MARCH + timedelta(hours=hour), stories=hour))
    return store


@pytest.mark.parametrize(
    ("named", "stories"),
    [
        ("2026-03-20T02:00+00:00", 0),
        ("2026-03-20T03:59+00:00", 1),
        ("2026-12-01", 2),
        ("2026-03-20T13:30", 1),  # in Brisbane, ten hours ahead
    ],
)
def test_a_moment_means_the_newest_inventory_by_then(three: ObjectStore, named: str, stories: int) -> None:
    assert kept.find(three, named, zone="Australia/Brisbane").tables == {"stories": stories}


def test_a_file_is_one_that_the_command_printed(three: ObjectStore, tmp_path: Path) -> None:
    printed = tmp_path / "before.json"
    document = inventory(MARCH, stories=7).document()
    for body in (document, {"base_id": "app", "tables": [], "database": document}):
        printed.write_text(json.dumps(body))
        assert kept.find(three, str(printed)).tables == {"stories": 7}


def test_what_is_no_inventory_is_refused_by_its_name(three: ObjectStore, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    for text in ("{}", "[]", "no json", '{"database": 3}'):
        other.write_text(text)
        with pytest.raises(StoreError, match="is not an inventory"):
            kept.find(three, str(other))
    with pytest.raises(SettingsError, match="neither a file nor a moment"):
        kept.find(three, "yesterday")
    with pytest.raises(SettingsError, match="no inventory was kept by then"):
        kept.find(three, "2026-03-01")


def test_before_and_after_are_the_last_before_the_beginning_and_the_last_of_all(three: ObjectStore) -> None:
    beginning = MARCH + timedelta(minutes=90)
    before, after = kept.before_and_after(three, beginning, MARCH + timedelta(days=1))
    assert before is not None
    assert after is not None
    assert (before.tables["stories"], after.tables["stories"]) == (1, 2)
    only, none = kept.before_and_after(three, beginning, MARCH)
    assert only is not None
    assert none is None


def test_figures_are_compared_by_name_and_what_was_not_counted_is_no_zero() -> None:
    changes = compare(inventory(MARCH, stories=3, gone=1, same=5), inventory(MARCH, stories=1, new=4, same=5))
    told = {one.what: (one.before, one.after, one.difference) for one in changed(changes)}
    assert told == {"stories": (3, 1, -2), "new": (None, 4, None), "gone": (1, None, None)}
