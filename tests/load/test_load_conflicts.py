"""Who wins after people edit in Postgres."""

from __future__ import annotations

import psycopg
import pytest
from load_world import World, run

from ledger_assets.errors import SettingsError
from ledger_assets.load.findings import Finding, list_findings, resolve


def edit(conn: psycopg.Connection, title: str) -> None:
    """What an app does: another writer changes the row of recRiver."""
    with conn.transaction():
        conn.execute("update works set title = %s where airtable_record_id = 'recRiver'", (title,))


def title(conn: psycopg.Connection) -> tuple[object, ...] | None:
    with conn.transaction():
        return conn.execute(
            "select title, locally_changed from works where airtable_record_id = 'recRiver'"
        ).fetchone()


def conflict(conn: psycopg.Connection) -> Finding:
    (found,) = [f for f in list_findings(conn, open_only=False) if f.kind == "conflict"]
    return found


@pytest.fixture
def edited(db: psycopg.Connection, world: World) -> psycopg.Connection:
    """recRiver was changed here and then in Airtable, and loaded again: one conflict."""
    run(db, world)
    edit(db, "edited here")
    world.works["recRiver"]["title"] = "changed in Airtable"
    report = run(db, world)
    assert report.committed
    assert report.tables["works"].conflicts == 1
    return db


def test_a_change_made_here_alone_is_kept_and_is_no_conflict(db: psycopg.Connection, world: World) -> None:
    run(db, world)
    edit(db, "edited here")
    report = run(db, world)
    assert report.committed
    assert (report.tables["works"].conflicts, report.tables["works"].unchanged) == (0, 2)
    assert title(db) == ("edited here", True)


def test_a_row_changed_on_both_sides_is_reported_and_not_written(edited: psycopg.Connection) -> None:
    assert title(edited) == ("edited here", True)
    found = conflict(edited)
    assert (found.table_name, found.record_id, found.status) == ("works", "recRiver", "open")


def test_an_open_conflict_stays_the_same_finding_in_every_load(
    edited: psycopg.Connection, world: World
) -> None:
    before = conflict(edited)
    assert run(edited, world).tables["works"].conflicts == 1
    assert conflict(edited) == before


def test_taking_airtable_overwrites_at_the_next_load(edited: psycopg.Connection, world: World) -> None:
    resolve(edited, conflict(edited).id, take="airtable", who="Reviewer")
    report = run(edited, world)
    assert (report.tables["works"].updated, report.tables["works"].conflicts) == (1, 0)
    assert title(edited) == ("changed in Airtable", False)
    assert (conflict(edited).status, conflict(edited).resolution) == ("gone", "airtable")
    assert run(edited, world).written == 0


def test_an_edit_made_after_the_decision_is_not_overwritten(edited: psycopg.Connection, world: World) -> None:
    resolve(edited, conflict(edited).id, take="airtable", who="Reviewer")
    edit(edited, "edited after the decision")
    assert run(edited, world).tables["works"].conflicts == 1
    assert title(edited) == ("edited after the decision", True)
    assert (conflict(edited).status, conflict(edited).resolution) == ("open", None)


def test_taking_postgres_keeps_the_row_until_airtable_changes_again(
    edited: psycopg.Connection, world: World
) -> None:
    resolve(edited, conflict(edited).id, take="postgres", who="Reviewer", note="the elder's wording")
    for _ in range(2):
        report = run(edited, world)
        assert (report.committed, report.tables["works"].conflicts) == (True, 0)
        assert title(edited) == ("edited here", True)
        assert conflict(edited).status == "resolved"
    world.works["recRiver"]["title"] = "changed in Airtable again"
    assert run(edited, world).tables["works"].conflicts == 1
    assert title(edited) == ("edited here", True)
    assert conflict(edited).status == "open"


def test_a_conflict_row_that_vanishes_from_airtable_is_flagged_and_keeps_its_edit(
    edited: psycopg.Connection, world: World
) -> None:
    del world.works["recRiver"]
    world.people["recAnna"]["favourite"] = None
    report = run(edited, world)
    assert report.committed
    assert report.tables["works"].deleted == 1
    assert title(edited) == ("edited here", True)
    assert conflict(edited).status == "gone"


def test_what_the_ledger_refused_is_a_finding_that_keeps_its_decision(
    db: psycopg.Connection, world: World
) -> None:
    world.quarantined = [("works", "tblWorks0000000001", "recStone", "pages", "not a whole number")]
    assert run(db, world).findings == {"quarantine": 1}
    (found,) = list_findings(db)
    resolve(db, found.id, take="skip", who="Reviewer")
    assert run(db, world).findings == {}
    assert list_findings(db) == []
    world.quarantined = []
    run(db, world)
    assert [f.status for f in list_findings(db, open_only=False)] == ["gone"]


def test_only_known_findings_are_resolved_by_somebody_with_a_known_decision(
    db: psycopg.Connection, world: World
) -> None:
    world.quarantined = [("works", "tblWorks0000000001", "recStone", "pages", "not a whole number")]
    run(db, world)
    (found,) = list_findings(db)
    for finding, take, who in (
        (found.id, "perhaps", "R"),
        (found.id, "airtable", "R"),
        ("0", "skip", "R"),
        (found.id, "skip", " "),
    ):
        with pytest.raises(SettingsError):
            resolve(db, finding, take=take, who=who)
    assert list_findings(db) == [found]


def test_a_file_that_could_not_be_had_is_a_finding(db: psycopg.Connection, world: World) -> None:
    entry = {"attachment_id": "att1", "table_id": "tblWorks0000000001", "record_id": "recStone", "field_id": "fldFiles",
             "filename": "a.jpg", "size": 3, "content_type": "image/jpeg", "sha256": "0" * 64, "object_key": "media/0",
             "problem": None}  # fmt: skip
    world.inventory = [
        entry,
        {**entry, "attachment_id": "att2", "sha256": None, "object_key": None, "problem": "404"},
    ]
    report = run(db, world)
    assert (report.attachments.inserted, report.findings) == (2, {"missing_file": 1})
    world.inventory = None
    assert run(db, world).attachments.deleted == 0, "an export without an inventory says nothing about files"


def test_comments_are_kept_as_delivered(db: psycopg.Connection, world: World) -> None:
    world.comments = {"recStone": [{"id": "com1", "text": "first"}, {"id": "com2", "text": "second"}]}
    assert run(db, world).comments.inserted == 2
    world.comments["recStone"][0]["text"] = "changed"
    del world.comments["recStone"][1]
    report = run(db, world)
    assert (report.comments.updated, report.comments.deleted, report.comments.staged) == (1, 1, 1)


def test_nobody_but_the_loader_can_pass_the_guard(
    db: psycopg.Connection, database_url: str, world: World
) -> None:
    """The setting alone is not enough: an API session's session_user is not a member of the owner."""
    run(db, world)
    with db.transaction():
        db.execute("create role visitor login password 'visitor-secret'")
        db.execute("grant select, update on works to visitor")
        db.execute("create policy everything on works to visitor using (true)")
    try:
        visitor = psycopg.conninfo.make_conninfo(database_url, user="visitor", password="visitor-secret")
        with psycopg.connect(visitor) as other:
            other.execute("set migration.writer = 'on'")
            other.execute("update works set title = 'sneaked in' where airtable_record_id = 'recRiver'")
        assert title(db) == ("sneaked in", True)
        with db.transaction():
            db.execute("update works set locally_changed = false")
        assert title(db) == ("sneaked in", True)
    finally:
        with db.transaction():
            db.execute("drop policy everything on works")
            db.execute("revoke all on works from visitor")
            db.execute("drop role visitor")


def test_every_migrated_table_is_guarded(conn: psycopg.Connection) -> None:
    """A later migration that adds a table with source_hash and forgets private.guard is found here."""
    with conn.transaction():
        rows = conn.execute(
            "select a.attrelid::regclass::text, (select count(*) from pg_trigger t where t.tgrelid = a.attrelid "
            "and t.tgname in ('mark_local_insert', 'mark_local_update') and t.tgenabled = 'O') = 2 from pg_attribute a "
            "join pg_class c on c.oid = a.attrelid where a.attname = 'source_hash' "
            "and c.relnamespace = 'public'::regnamespace and c.relkind = 'r'"
        ).fetchall()
    assert rows
    assert [table for table, guarded in rows if not guarded] == []
