"""The list of erasures: everything that was erased is on it once, and nothing that we did not write."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_assets.backup.identity import Identity
from ledger_assets.backup.sealing import open_bytes, seal_bytes
from ledger_assets.erasure.model import Erasure, parse, together
from ledger_assets.erasure.register import Forged, listed, publish
from ledger_assets.erasure.report import Holding, report
from ledger_assets.erasure.requests import carried_out, standing
from ledger_assets.errors import StoreError
from ledger_assets.storage import ObjectStore, open_store
from tests.schema.telling import erase, request, whole_person
from tests.schema.world import World, places_of

WORD = "zyzzyva"
AT = datetime(2026, 11, 22, 8, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def vault(tmp_path: Path) -> ObjectStore:
    return open_store((tmp_path / "vault").as_uri())


@pytest.fixture(scope="session")
def identity() -> Identity:
    return Identity.generate()


@pytest.fixture
def world(conn: psycopg.Connection, cluster: object, database_url: str) -> World:
    conn.autocommit = True
    admin_url = cluster.admin_url(conn.info.dbname)  # type: ignore[attr-defined]  # it is the cluster
    return World(conn, admin_url)


def test_what_was_erased_is_published_once_and_listed(
    world: World, vault: ObjectStore, identity: Identity
) -> None:
    person, _ = whole_person(world, WORD)
    records = set(world.all("select base_id, table_id, record_id from airtable.records"))
    files = set(world.all("select object_key from media_assets"))
    erase(world, "storyteller", storyteller_id=person, reason=WORD)
    added = publish(world.owner, vault, identity)
    assert publish(world.owner, vault, identity) == []
    assert listed(vault, identity) == tuple(added) == carried_out(world.owner)
    (one,) = added
    assert (one.scope, one.storyteller_id, set(one.records)) == ("storyteller", str(person), records)
    assert {(key,) for key in one.files} == files
    assert {"storytellers", "stories", "quotes", "interviews", "themes", "consents"} < {
        table for table, _ in one.rows
    }
    (entry,) = vault.list("")
    assert WORD.encode() not in vault.get(entry.key) + entry.key.encode() + open_bytes(
        vault, entry.key, identity
    )


def test_a_deleted_account_and_what_it_asked_for_are_on_the_list(
    world: World, vault: ObjectStore, identity: Identity
) -> None:
    account = world.account(WORD)
    _, story = whole_person(world, WORD, account)
    request(world, "account", requested_by=account)
    request(world, "story", story_id=story, requested_by=account)
    assert {(one.scope, one.story_id) for one in standing(world.owner)} == {
        ("account", None),
        ("story", str(story)),
    }
    world.do("delete from auth.users where id = %s", account)
    publish(world.owner, vault, identity)
    found = {one.scope: one for one in listed(vault, identity)}
    assert (found["account"].account_id, found["account"].rows) == (str(account), ())
    assert found["story"].story_id == str(story)
    assert standing(world.owner) == ()


def test_requests_that_another_one_ended_are_told_by_that_one(world: World) -> None:
    person, story = whole_person(world, WORD)
    for asking in (world.account(), world.account()):
        request(world, "story", story_id=story, requested_by=asking)
    erase(world, "storyteller", storyteller_id=person)
    (one,) = carried_out(world.owner)
    assert one.scope == "storyteller"
    assert places_of(world, WORD) == []


def test_entries_sealed_for_an_offline_key_open_with_it(
    world: World, vault: ObjectStore, identity: Identity
) -> None:
    offline = Identity.generate()
    person, _ = whole_person(world, WORD)
    erase(world, "storyteller", storyteller_id=person)
    (one,) = publish(world.owner, vault, identity, (offline.recipient,))
    assert json.loads(open_bytes(vault, one.key, offline))["erasure"] == one.to_json()


def entry(
    vault: ObjectStore,
    identity: Identity,
    one: Erasure,
    *,
    key: str | None = None,
    by: Identity | None = None,
) -> str:
    """An entry as somebody writes it who has the public key, and the identity ``by``."""
    from ledger_assets.backup.identity import mac

    where, text = key or one.key, one.to_json()
    said = mac(by or identity, "erasure", f"{where}\n{text}".encode())
    seal_bytes(vault, where, json.dumps({"erasure": text, "mac": said}).encode(), (identity.recipient,))
    return where


def test_a_forged_entry_is_refused_by_name(vault: ObjectStore, identity: Identity) -> None:
    """Anybody may seal for a public key."""
    where = entry(vault, identity, Erasure("r1", "story", AT), by=Identity.generate())
    with pytest.raises(Forged, match=where):
        listed(vault, identity)


def test_an_entry_under_another_name_is_refused(vault: ObjectStore, identity: Identity) -> None:
    one = Erasure("r1", "story", AT)
    entry(vault, identity, one)
    data = vault.get(one.key)
    vault.put("erasures/20200101T000000000000Z-r2.json.age", data)
    with pytest.raises(Forged, match="20200101"):
        listed(vault, identity)


def test_an_entry_of_ours_that_tells_of_another_moment_is_refused(
    vault: ObjectStore, identity: Identity
) -> None:
    where = entry(
        vault, identity, Erasure("r1", "story", AT), key="erasures/20200101T000000000000Z-r1.json.age"
    )
    with pytest.raises(Forged, match=where):
        listed(vault, identity)


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"erasure": "{}", "mac": ""}'])
def test_an_entry_that_cannot_be_read_is_refused_by_name(
    vault: ObjectStore, identity: Identity, content: bytes
) -> None:
    entry(vault, identity, Erasure("r1", "story", AT))
    seal_bytes(vault, "erasures/20270101T000000000000Z-r2.json.age", content, (identity.recipient,))
    with pytest.raises(StoreError, match="20270101"):
        listed(vault, identity)
    vault.put("erasures/20270101T000000000000Z-r2.json.age", content)
    with pytest.raises(StoreError, match="20270101"):
        listed(vault, identity)


ids = st.uuids().map(str)
texts = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=12)
erasures = st.builds(
    Erasure,
    request_id=ids,
    scope=st.sampled_from(("storyteller", "story", "account")),
    at=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants bounds without a zone
    storyteller_id=st.none() | ids,
    story_id=st.none() | ids,
    account_id=st.none() | ids,
    records=st.lists(st.tuples(texts, texts, texts), max_size=3).map(tuple),
    rows=st.lists(st.tuples(texts, ids), max_size=3).map(tuple),
    files=st.lists(texts, max_size=3).map(tuple),
)


@given(erasures)
def test_an_entry_is_read_as_it_was_written(one: Erasure) -> None:
    assert parse(one.to_json()) == one
    assert parse(one.to_json()).key == one.key


@given(st.lists(erasures, max_size=5))
def test_together_each_erasure_stands_once_and_in_order(found: list[Erasure]) -> None:
    every = together(found, found)
    assert {one.request_id for one in every} == {one.request_id for one in found}
    assert len(every) == len({one.request_id for one in every})
    assert [one.at for one in every] == sorted(one.at for one in every)


days = st.integers(-20, 20).map(lambda n: AT + timedelta(days=n))


@given(st.lists(st.tuples(days, st.none() | days), max_size=6))
def test_the_report_names_every_snapshot_that_was_taken_before_and_its_last_end(
    taken: list[tuple[datetime, datetime | None]],
) -> None:
    snapshots = [Holding(f"s{n}.", at, end) for n, (at, end) in enumerate(taken)]
    (line,) = report([Erasure("r1", "story", AT)], snapshots)
    older = [one for one in snapshots if one.taken_at <= AT]
    assert {one.id for one in snapshots if one.id in line} == {one.id for one in older}
    if not older:
        assert line.endswith("in no snapshot any more")
    elif all(one.expires_at for one in older):
        assert f"expires on {max(one.expires_at for one in older if one.expires_at):%Y-%m-%d}" in line
    else:
        assert "no end is known" in line
