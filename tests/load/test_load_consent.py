"""What a load owes the consent rule: it opens nothing, closes what lost its evidence, and brings back nothing erased."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest

from ledger_assets.errors import TargetError
from ledger_assets.ledger.build import build_ledger
from ledger_assets.ledger.store import Ledger
from ledger_assets.load import visibility
from ledger_assets.load.erasures import assert_provable
from ledger_assets.load.history import last_load
from ledger_assets.load.load import load
from ledger_assets.load.report import LoadReport
from ledger_assets.storage import ObjectStore
from ledger_assets.tables import SPECS
from tests.ledger.exports import rec, write_export

PERSON = {"Name": "Invented Person", "Consent Status": "Consent for Public Sharing"}
OPEN = "select eff_until > now() and eff_limits = 0 from stories where airtable_record_id = %s"
Migrate = Callable[..., LoadReport]


@pytest.fixture
def migrate(conn: psycopg.Connection, store: ObjectStore) -> Migrate:
    """Load a base of these storytellers and stories."""

    def migrate(people: dict[str, Any], stories: dict[str, Any], run_id: str = "run") -> LoadReport:
        export = write_export(store, {"Storytellers": people, "Stories": stories})
        ledger = Ledger(store, build_ledger(store, export, specs=SPECS).ledger_id)
        first = date(2025, 1, 1)
        return load(
            conn, store, export, ledger, environment="staging", specs=SPECS, run_id=run_id, first_month=first
        )

    return migrate


def told(*people: str, **cells: Any) -> dict[str, Any]:
    """The base's one story."""
    return {"tale": {"Title": "A tale", "Storytellers": [rec(p) for p in people], **cells}}


def publish(conn: psycopg.Connection) -> None:
    """As a person would who has the evidence."""
    with conn.transaction():
        conn.execute("update storytellers set privacy = 'public', sensitive = false")
        conn.execute("update stories set status = 'published', published_at = now(), privacy = 'public'")


def is_open(conn: psycopg.Connection) -> bool:
    with conn.transaction():
        row = conn.execute(OPEN, (rec("tale"),)).fetchone()
    assert row is not None
    return bool(row[0])


def test_a_migration_opens_nothing_even_where_the_evidence_is_complete(
    conn: psycopg.Connection, migrate: Migrate
) -> None:
    report = migrate({"ada": PERSON}, told("ada"))
    assert report.committed
    assert not is_open(conn)
    publish(conn)
    assert is_open(conn)


def test_publishing_is_no_change_of_what_was_migrated(conn: psycopg.Connection, migrate: Migrate) -> None:
    """Else the next change in Airtable would be a conflict."""
    migrate({"ada": PERSON}, told("ada"))
    with conn.transaction():
        conn.execute("update stories set status = 'published', published_at = now(), privacy = 'public'")
    report = migrate({"ada": PERSON}, told("ada", **{"Story copy": "New words"}))
    assert (report.tables["stories"].updated, report.tables["stories"].conflicts) == (1, 0)
    with conn.transaction():
        assert conn.execute("select status, copy from stories").fetchone() == ("published", "New words")


def test_evidence_that_goes_from_airtable_closes_the_story_in_the_same_load(
    conn: psycopg.Connection, migrate: Migrate
) -> None:
    migrate({"ada": PERSON}, told("ada"))
    publish(conn)
    report = migrate({"ada": {"Name": PERSON["Name"]}}, told("ada"))
    assert report.committed
    assert not is_open(conn)
    (check,) = [c for c in report.checks if c.name == visibility.CONSENT]
    assert check.detail == {"open": 0, "stale": 0, "without_evidence": 0}


def test_a_second_teller_without_consent_closes_the_story(conn: psycopg.Connection, migrate: Migrate) -> None:
    migrate({"ada": PERSON}, told("ada"))
    publish(conn)
    assert migrate({"ada": PERSON, "bo": {"Name": "Another"}}, told("ada", "bo")).committed
    assert not is_open(conn)


def test_a_load_that_left_a_story_more_open_than_its_evidence_is_rolled_back(
    conn: psycopg.Connection, migrate: Migrate, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate({"ada": PERSON}, told("ada"))
    publish(conn)
    monkeypatch.setattr(visibility, "refresh", lambda cur: 0)
    report = migrate({"ada": {"Name": PERSON["Name"]}}, told("ada"))
    assert not report.committed
    (check,) = [c for c in report.checks if not c.passed]
    assert (check.table, check.name, check.detail["stale"], check.detail["without_evidence"]) == (
        "stories", "consent", 1, 1,
    )  # fmt: skip
    assert check.detail["without_evidence_ids"] == [rec("tale")]


def test_the_loader_leaves_lean_lines_with_its_run_and_no_image(
    conn: psycopg.Connection, migrate: Migrate
) -> None:
    """New rows have one line together, whose time is theirs; a changed row has its own."""
    lines = (
        "select l.action, l.changed, l.rows, coalesce(l.row_id = s.id::text, l.at = s.created_at) "
        "from audit.log l, stories s where l.table_name = 'stories' and l.run = %s"
    )
    migrate({"ada": PERSON}, told("ada"), "first")
    migrate({"ada": PERSON}, told("ada", **{"Story copy": "New words"}), "second")
    migrate({"ada": PERSON}, {}, "third")
    migrate({"ada": PERSON}, {}, "fourth")
    with conn.transaction():
        assert conn.execute(lines, ("first",)).fetchall() == [("insert", None, 1, True)]
        assert conn.execute(lines, ("second",)).fetchall() == [("update", None, 1, True)]
        assert conn.execute(lines, ("third",)).fetchall() == [("update", ["source_deleted_at"], 1, True)]
        assert conn.execute(lines, ("fourth",)).fetchall() == []
        assert conn.execute("select count(*) from audit.images").fetchone() == (0,)


def test_what_a_person_had_erased_does_not_come_back(conn: psycopg.Connection, migrate: Migrate) -> None:
    """The load refuses by name while it stands in Airtable, and goes on once it is deleted there."""
    migrate({"ada": PERSON}, told("ada"))
    with conn.transaction():
        conn.execute(
            "insert into erasure_requests (scope, storyteller_id) select 'storyteller', id from storytellers"
        )
        conn.execute("select private.erase(id) from erasure_requests")
    loaded = last_load(conn)
    assert loaded is not None
    with pytest.raises(TargetError, match="2 records were erased since the last load"):
        assert_provable(conn, loaded.committed_at)
    conn.rollback()
    with pytest.raises(TargetError, match=f"{rec('tale')}.*delete them in Airtable"):
        migrate({"ada": PERSON}, told("ada"))
    report = migrate({}, {})
    assert report.committed
    loaded = last_load(conn)
    assert loaded is not None
    conn.rollback()
    assert_provable(conn, loaded.committed_at)
    assert conn.execute("select count(*) from stories").fetchone() == (0,)


def test_a_load_records_the_consents_that_have_expired(conn: psycopg.Connection, migrate: Migrate) -> None:
    migrate({"p": PERSON}, told("p"))
    with conn.transaction():
        conn.execute(
            "insert into consents (storyteller_id, purpose, state, evidence_kind, expires_at) "
            "select id, 'ai_analysis', 'given', 'form', now() - interval '1 day' from storytellers"
        )
    migrate({"p": PERSON}, told("p"), "second")
    events = conn.execute("select purpose, run from consent_events where event = 'expired'").fetchall()
    assert events == [("ai_analysis", "second")]
