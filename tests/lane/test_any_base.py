"""Profile ``any_base``: a base that this project has never seen, through the real commands, proven to the byte.

Each command is a process of its own, because the asset keys are read from ``base.json`` when the definitions are
imported.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from pyairtable import Api

from ledger_assets.build import build_definitions
from ledger_assets.demo import any_schema
from ledger_assets.demo.base import create_base
from ledger_assets.demo.parts import EmbeddedParts, base_path
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import SYNTHETIC_ANY_BASE_ID, Environment, read_shape

from .commands import done, run, settings_of

ANY = {"LEDGER_PROFILE": "any_base"}
COLLIDING = ("Field notes", "field_notes", "FIELD-notes")
ODD = any_schema.ODD_VALUES
IDS = {table.name: table.id for table in any_schema.TABLES}


@dataclass
class Base:
    """The whole base as Airtable answers, read without any of our own code."""

    bodies: dict[str, list[str]] = field(default_factory=dict)

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        """Every record by its id."""
        pages = [json.loads(body)["records"] for bodies in self.bodies.values() for body in bodies]
        return {record["id"]: record for page in pages for record in page}

    @property
    def cells(self) -> int:
        """Cells that are not empty."""
        return sum(v is not None for r in self.records.values() for v in r["fields"].values())


@dataclass
class Migrated:
    """What the commands left, and what they said."""

    home: Path
    airtable: LocalAirtable
    said: dict[str, str]
    bases: dict[str, Base]
    raw: dict[str, dict[str, str]]
    """By moment: record id -> the text in Postgres, of records that are in Airtable still."""
    changed: dict[str, str]

    def settings(self) -> dict[str, str]:
        return settings_of(self.home, self.airtable, **ANY)

    def query(self, statement: str, *parameters: object, database: str = "ledger_staging") -> list[Any]:
        return query(self.home, statement, *parameters, database=database)


def query(home: Path, statement: str, *parameters: object, database: str = "ledger_staging") -> list[Any]:
    """Rows of a query on the embedded Postgres."""
    with EmbeddedParts(home) as parts, psycopg.connect(parts.postgres().url(database)) as connection:
        return connection.execute(statement.encode(), parameters or None).fetchall()


def read(airtable: LocalAirtable) -> Base:
    """Read every table, page by page."""
    base = Base()
    for table in any_schema.TABLES:
        pages = base.bodies[table.id] = []
        offset: str | None = ""
        while offset is not None:
            answer = requests.get(
                f"{airtable.url}/v0/{airtable.base_id}/{table.id}",
                params={
                    "returnFieldsByFieldId": "true",
                    "recordMetadata[]": "commentCount",
                    **({"offset": offset} if offset else {}),
                },
                headers={"Authorization": f"Bearer {airtable.api_key}"},
                timeout=30,
            )
            pages.append(answer.content.decode())
            offset = answer.json().get("offset")
    return base


def raw_records(home: Path) -> dict[str, str]:
    """Record id -> its text in Postgres."""
    return dict(query(home, "select record_id, raw from airtable.records where source_deleted_at is null"))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    """Inventory, migration, migration again; then changes in Airtable, and a third migration."""
    folder = tmp_path_factory.mktemp("any")
    create_base(folder / "base.sqlite", shape="any_base")
    with LocalAirtable(folder / "base.sqlite", requests_per_second=None) as airtable:
        home = folder / "home"
        # Held, so that the embedded Postgres is not started and stopped by every command.
        with EmbeddedParts(home):
            environ = settings_of(home, airtable, **ANY)
            said = {name: done(environ, name, "staging") for name in ("inventory", "migrate")}
            first = read(airtable)
            raw = {"first": raw_records(home)}
            said["again"] = done(environ, "migrate", "staging")
            changed = change(airtable, first)
            said["changed"] = done(environ, "migrate", "staging")
            raw["changed"] = raw_records(home)
            bases = {"first": first, "changed": read(airtable)}
            yield Migrated(home, airtable, said, bases, raw, changed)


def change(airtable: LocalAirtable, base: Base) -> dict[str, str]:
    """Change a record, empty one of its cells, delete a record and make one, with Airtable's own client."""
    api = Api(airtable.api_key, endpoint_url=airtable.url)
    table = {name: api.table(airtable.base_id, table_id) for name, table_id in IDS.items()}
    agreed = any_schema.PEOPLE.field_id("Agreed")
    records = json.loads(base.bodies[IDS["People"]][0])["records"]
    person = next(r["id"] for r in records if r["fields"].get(agreed))
    ring = json.loads(base.bodies[IDS["Ring A"]][0])["records"][-1]["id"]
    table["People"].update(person, {"Name": "Somebody else", "Agreed": False})
    table["Ring A"].delete(ring)
    made = table["Nothing yet"].create({"Name": "the first", "Amount": 3})
    return {"changed": person, "deleted": ring, "made": made["id"]}


def test_the_base_is_what_few_tools_keep(migrated: Migrated) -> None:
    """The ground of all tests below: more than a page of pages, links in circles, `[null]`, errors, blank records."""
    first = migrated.bases["first"]
    kinds = {f.type for table in any_schema.TABLES for f in table.fields}
    cells = [c for r in first.records.values() for c in r["fields"].values()]
    assert len(first.records) > 1_000
    assert len(kinds) >= 33
    assert sum(c == [None] for c in cells) > 20
    assert sum(isinstance(c, dict) and ("error" in c or "specialValue" in c) for c in cells) > 1_000
    assert sum(not r["fields"] for r in first.records.values()) >= 12
    assert "Nothing yet" in migrated.said["inventory"]


def test_every_record_is_in_postgres_and_equal(migrated: Migrated) -> None:
    first = migrated.bases["first"].records
    raw = migrated.raw["first"]
    assert raw.keys() == first.keys()
    signed = [record_id for record_id, text in raw.items() if "/files/" in text]
    assert 0 < len(signed) <= 50
    assert [i for i in raw if i not in signed and json.loads(raw[i]) != first[i]] == []


def test_odd_records_are_kept_to_the_byte(migrated: Migrated) -> None:
    """The page that Airtable sent is the texts in Postgres, joined: no escape, digit or space is another."""
    (body,) = migrated.bases["first"].bodies[ODD.id]
    order = [record["id"] for record in json.loads(body)["records"]]
    assert body == '{"records":[' + ",".join(migrated.raw["first"][i] for i in order) + "]}"
    for odd in ("\\u0000", "\\ud800", "1e400", "9007199254740993", "-0.0", "[1e200000]"):
        assert odd in body


def test_cells_that_postgres_cannot_hold_are_named(migrated: Migrated) -> None:
    """``fields`` is for queries; where it must differ from the text, the record says which field."""
    lossy = dict(migrated.query("select record_id, lossy from airtable.records where table_id = %s", ODD.id))
    texts = {record_id: migrated.raw["first"][record_id] for record_id in lossy}
    nul = {i for i, text in texts.items() if "\\u0000" in text or "\\ud800" in text or "1e200000" in text}
    assert nul
    assert all(lossy[record_id] for record_id in nul)
    assert any(not fields for fields in lossy.values())


def test_the_proof_counts_every_cell(migrated: Migrated) -> None:
    first = migrated.bases["first"]
    for name in ("migrate", "again"):
        assert f"all {len(first.records):,} records and {first.cells:,} cells" in migrated.said[name]
    now = migrated.bases["changed"]
    assert f"all {len(now.records):,} records and {now.cells:,} cells" in migrated.said["changed"]


def test_comments_and_files_are_kept(migrated: Migrated) -> None:
    assert migrated.query("select count(*) from airtable.comments")[0][0] == 121
    kept = migrated.query("select count(*), count(file_sha256), count(problem) from airtable.attachments")
    assert kept == [(100, 100, 0)]


def test_a_second_migration_writes_nothing(migrated: Migrated) -> None:
    assert "\n0 rows written" in migrated.said["again"]


def test_assets_are_named_after_the_pinned_base(migrated: Migrated) -> None:
    """Colliding names get the table's id, and every table's asset was materialised under its own name."""
    graph = build_definitions(
        Environment.STAGING, shape=read_shape(migrated.settings())
    ).resolve_asset_graph()
    keys = {tuple(k.path) for k in graph.get_all_asset_keys() if k.path[1] == "airtable"}
    expected = {("staging", "airtable", f"field_notes_{IDS[name]}") for name in COLLIDING}
    expected |= {
        ("staging", "airtable", name) for name in ("everything", "ring_a", "odd_values_1", "attachments")
    }
    assert expected <= keys
    assert len(keys) == len(any_schema.TABLES) + 1
    rows = migrated.query(
        "select asset_key from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION'",
        database="dagster",
    )
    times = Counter(tuple(json.loads(key)) for (key,) in rows)
    assert {times[key] for key in keys} == {3}


def test_a_record_changed_in_airtable_comes_through(migrated: Migrated) -> None:
    """With the cells emptied in it, and the lookups of others that show it."""
    now = migrated.bases["changed"].records
    person = json.loads(migrated.raw["changed"][migrated.changed["changed"]])
    assert person["fields"][any_schema.PEOPLE.field_id("Name")] == "Somebody else"
    assert any_schema.PEOPLE.field_id("Agreed") not in person["fields"]
    names = any_schema.EVERYTHING.field_id("Names of people")
    shown = [i for i, r in now.items() if "Somebody else" in str(r["fields"].get(names))]
    assert shown
    assert all("Somebody else" in migrated.raw["changed"][record_id] for record_id in shown)


def test_a_record_deleted_in_airtable_is_marked_and_kept(migrated: Migrated) -> None:
    gone = migrated.changed["deleted"]
    rows = migrated.query(
        "select source_deleted_at is not null, raw from airtable.records where record_id = %s", gone
    )
    assert rows == [(True, migrated.raw["first"][gone])]
    assert not any(gone in text for text in migrated.raw["changed"].values())


def test_a_record_made_in_airtable_comes_through(migrated: Migrated) -> None:
    assert json.loads(migrated.raw["changed"][migrated.changed["made"]])["fields"]
    assert migrated.raw["changed"].keys() == migrated.bases["changed"].records.keys()


def test_a_table_that_is_gone_is_refused_until_a_person_accepts_it(migrated: Migrated) -> None:
    """Running the export twice is no acceptance; a table of another name has not gone. And a newer export is no loss
    of what was loaded: the proof is of that."""
    meta = requests.get(
        f"{migrated.airtable.url}/v0/meta/bases/{migrated.airtable.base_id}/tables",
        headers={"Authorization": f"Bearer {migrated.airtable.api_key}"},
        timeout=30,
    ).json()
    left = [table for table in meta["tables"] if table["name"] != "Tree"]
    next(table for table in left if table["name"] == "Ring C")["name"] = "Ring of C"
    migrated.airtable.faults.add("/v0/meta/", status=200, body=json.dumps({"tables": left}), times=None)
    for _ in range(2):
        refused = run(migrated.settings(), "export", "staging")
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
        assert "the base has no table Tree: put it back, or accept the base as it is" in refused.stderr
    assert "Nothing was lost: all 1,378 records" in done(migrated.settings(), "verify", "staging")
    done(migrated.settings(), "inventory", "staging", "--accept")
    said = done(migrated.settings(), "export", "staging")
    assert ("Tree" in said, "Ring of C" in said) == (False, True)
    migrated.airtable.faults.clear()


def test_it_works_with_no_setting_but_the_profile(tmp_path: Path) -> None:
    """The synthetic base of every shape, nothing known beforehand: one command, and nothing was lost."""
    home = tmp_path / "home"
    base = base_path(home, "any_base")
    base.parent.mkdir(parents=True)
    create_base(base, scale=60, shape="any_base", base_id=SYNTHETIC_ANY_BASE_ID)
    said = done(settings_of(home, **ANY), "migrate", "staging")
    assert "Nothing was lost" in said
    assert "0 conflicts, 3 of 3 checks passed, committed" in said
