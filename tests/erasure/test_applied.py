"""A snapshot from before an erasure, restored: the same erasure takes the person out of it again, whatever it held."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ledger_assets.demo.postgres import OWNER, Cluster
from ledger_assets.erasure.applied import apply_to, assert_absent
from ledger_assets.erasure.requests import carried_out
from ledger_assets.files import project_file
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply
from tests.schema.telling import erase, interview_of, person_of, request, story_of, whole_person
from tests.schema.world import World, places_of

WORD, OTHER = "zyzzyva", "quokka"
_numbers = itertools.count()
Snapshot = Callable[[], World]


@pytest.fixture
def world(cluster: Cluster, database_url: str) -> Iterator[World]:
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    world = World(psycopg.connect(database_url, autocommit=True), cluster.admin_url(str(name)))
    yield world
    world.owner.close()  # another one than at first where a snapshot was taken


@pytest.fixture
def snapshot(cluster: Cluster, world: World) -> Iterator[Snapshot]:
    """Makes copies of the world as it is, in databases of their own."""
    made: list[tuple[str, psycopg.Connection[Any]]] = []
    original = world.owner.info.dbname

    def copy() -> World:
        name = f"erasure_{next(_numbers)}"
        world.owner.close()
        with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
            names = map(sql.Identifier, (name, original, OWNER))
            admin.execute(sql.SQL("create database {} template {} owner {}").format(*names))
        world.owner = psycopg.connect(cluster.url(original), autocommit=True)
        owner = psycopg.connect(cluster.url(name), autocommit=True)
        made.append((name, owner))
        return World(owner, cluster.admin_url(name))

    yield copy
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        for name, owner in made:
            owner.close()
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def applied(world: World, copy: World) -> int:
    """The world's erasures, applied to the copy, twice; how many found something."""
    erasures = carried_out(world.owner)
    url = psycopg.conninfo.make_conninfo(copy.owner.info.dsn, password=copy.owner.info.password)
    with connect(url, application_name="test") as conn:
        found = apply_to(conn, erasures)
        assert assert_absent(conn, erasures) == []
        assert apply_to(conn, erasures) == 0
        assert assert_absent(conn, erasures) == []
    return found


def test_a_restored_person_goes_again_and_nobody_else(world: World, snapshot: Snapshot) -> None:
    person, _ = whole_person(world, WORD)
    whole_person(world, OTHER)
    copy = snapshot()
    places = places_of(world, OTHER)
    erase(world, "storyteller", storyteller_id=person)
    lines = assert_absent(copy.owner, carried_out(world.owner))
    assert f"public.storytellers: {person} was erased and is there" in lines
    assert {line.partition(":")[0] for line in lines} > {
        "airtable.records", "airtable.comments", "airtable.attachments", "audit.images of stories", "public.quotes",
    }  # fmt: skip
    assert not any(WORD in line for line in lines)
    assert applied(world, copy) == 1
    assert places_of(copy, WORD) == []
    assert places_of(copy, OTHER) == places
    tombstones = "select base_id, table_id, record_id, request_id from migration.erasures order by 1, 2, 3"
    assert copy.all(tombstones) == world.all(tombstones)
    files = "select object_key, request_id from migration.erased_files order by 1"
    assert copy.all(files) == world.all(files)
    assert copy.all("select id, state from erasure_requests") == world.all(
        "select id, state from erasure_requests"
    )
    assert [one.request_id for one in carried_out(copy.owner)] == [
        one.request_id for one in carried_out(world.owner)
    ]


def test_what_hung_together_otherwise_when_the_snapshot_was_taken_goes_too(
    world: World, snapshot: Snapshot
) -> None:
    """Told with another then, theirs alone when it was erased."""
    person, other = person_of(world, WORD), world.storyteller("Other")
    story = story_of(world, WORD, person, other)
    interview = interview_of(world, WORD, story, person, other)
    copy = snapshot()
    world.do("delete from authorship where storyteller_id = %s", other)
    world.do("delete from interview_storytellers where storyteller_id = %s", other)
    counts = erase(world, "storyteller", storyteller_id=person)
    assert (counts["stories"], counts["interviews"]) == (1, 1)
    assert applied(world, copy) == 1
    assert copy.one("select count(*) from stories where id = %s", story) == 0
    assert copy.one("select count(*) from interviews where id = %s", interview) == 0
    assert copy.all("select name from storytellers") == [("Other",)]
    assert places_of(copy, WORD) == []


def test_a_story_that_stayed_with_the_others_is_closed_and_not_erased(
    world: World, snapshot: Snapshot
) -> None:
    """The snapshot knows one author, the erasure knew two."""
    person = world.storyteller("One")
    story = story_of(world, OTHER, person)
    copy = snapshot()
    world.row("authorship", story_id=story, storyteller_id=world.storyteller("Two"), position=2)
    erase(world, "story", story_id=story)
    applied(world, copy)
    assert copy.all("select title, status from stories") == [(OTHER, "archived")]


def test_an_open_request_in_the_snapshot_is_the_one_that_is_carried_out(
    world: World, snapshot: Snapshot
) -> None:
    person, story = whole_person(world, WORD)
    asked = request(world, "storyteller", storyteller_id=person, reason=WORD)
    request(world, "story", story_id=story, reason=WORD)
    copy = snapshot()
    world.ask("service_role", None, "select public.carry_out_erasure(%s)", asked)
    assert applied(world, copy) == 1
    assert places_of(copy, WORD) == []
    assert copy.all("select distinct state from erasure_requests") == [("done",)]


def test_a_deleted_account_does_not_come_back(world: World, snapshot: Snapshot) -> None:
    account = world.account(WORD)
    request(world, "account", requested_by=account)
    copy = snapshot()
    world.do("delete from auth.users where id = %s", account)
    assert applied(world, copy) == 1
    assert copy.one("select count(*) from profiles") == 0


def test_words_in_images_of_what_was_deleted_before_go_too(world: World, snapshot: Snapshot) -> None:
    person = person_of(world, WORD)
    copy = snapshot()
    world.ask(
        "service_role",
        None,
        "select public.carry_out_erasure(%s)",
        request(world, "storyteller", storyteller_id=person),
    )
    copy.do("delete from storyteller_contacts")
    copy.do("delete from media_assets")
    assert "audit.images" in places_of(copy, WORD)
    applied(world, copy)
    assert places_of(copy, WORD) == []


def test_words_in_images_of_a_person_who_was_deleted_in_the_snapshot_go_too(
    world: World, snapshot: Snapshot
) -> None:
    """No row of theirs is left there by which the schema's own erasure would begin."""
    person = world.storyteller("Somebody", consents=())
    world.row("quotes", quote=WORD, storyteller_id=person)
    copy = snapshot()
    erase(world, "storyteller", storyteller_id=person)
    world.owner.execute("delete from audit.log where table_name = 'quotes' and action = 'erase'")
    copy.do("delete from quotes")
    copy.do("delete from storytellers")
    assert places_of(copy, WORD) == ["audit.images"]
    assert applied(world, copy) == 1
    assert places_of(copy, WORD) == []


def test_money_stays_on_the_books_of_a_restored_snapshot(world: World, snapshot: Snapshot) -> None:
    person, _ = whole_person(world, WORD)
    event = world.one("select id from value_events")
    world.row(
        "value_distributions",
        event_id=event,
        recipient="storyteller",
        storyteller_id=person,
        amount=10,
        note=WORD,
    )
    copy = snapshot()
    erase(world, "storyteller", storyteller_id=person)
    assert assert_absent(world.owner, carried_out(world.owner)) == []
    applied(world, copy)
    assert copy.all("select name from storytellers") == [("(erased)",)]
    assert places_of(copy, WORD) == []


def test_after_the_erasure_itself_nothing_is_left_where_it_was_done(world: World) -> None:
    person, _ = whole_person(world, WORD)
    erase(world, "storyteller", storyteller_id=person)
    assert assert_absent(world.owner, carried_out(world.owner)) == []
    assert apply_to(world.owner, carried_out(world.owner)) == 0


def test_a_snapshot_of_an_older_release_is_brought_up_first(
    world: World, empty_database_url: str, tmp_path: Path
) -> None:
    """Before there were erasures at all."""
    person, _ = whole_person(world, WORD)
    erase(world, "storyteller", storyteller_id=person)
    for path in sorted(project_file("supabase/migrations").glob("*.sql"))[:11]:
        shutil.copyfile(path, tmp_path / path.name)
    with connect(empty_database_url, application_name="test") as conn:
        apply(conn, tmp_path)
        assert conn.execute("select to_regprocedure('private.erase(uuid)') is null").fetchone() == (True,)
        conn.execute("insert into storytellers (id, name) values (%s, %s)", (person, WORD))
        conn.commit()
        assert apply_to(conn, carried_out(world.owner)) == 1
        assert conn.execute("select count(*) from storytellers").fetchone() == (0,)
        conn.commit()
        assert apply(conn) == []
