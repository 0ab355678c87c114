"""A small base with circular links, its exports and its ledgers, written in the product's own formats.

People (with a favourite work), works (with a lead person) and credits (who made which work): the two foreign keys
form a circle. Also run as a program: it loads one ledger into one database, for tests that kill it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import polars as pl
import psycopg

from ledger_assets.extract.export import Export, ExportManifest, TableManifest, index_key, pack, page_key
from ledger_assets.extract.index import index_of, pack_index
from ledger_assets.ids import row_id
from ledger_assets.ledger.identity import ids_digest
from ledger_assets.ledger.store import Ledger, LedgerManifest, LedgerTable
from ledger_assets.load.connect import connect
from ledger_assets.load.load import load
from ledger_assets.load.report import LoadReport
from ledger_assets.storage import ObjectStore, open_store
from ledger_assets.tables.fields import TableSpec

BASE = "appTestCircular000"
PEOPLE, WORKS = "tblPeople000000001", "tblWorks0000000001"
FIRST_MONTH = date(2025, 1, 1)
JANUARY, FEBRUARY = "2025-01-10T09:00:00.000Z", "2025-02-10T09:00:00.000Z"
SYSTEM = {
    "id": pl.String,
    "airtable_base_id": pl.String,
    "airtable_table_id": pl.String,
    "airtable_record_id": pl.String,
    "airtable_created_at": pl.Datetime("us", "UTC"),
}
MODELS: dict[str, dict[str, Any]] = {
    "people": {"name": pl.String, "favourite_id": pl.String},
    "works": {
        "title": pl.String,
        "body": pl.String,
        "tags": pl.List(pl.String),
        "pages": pl.Int64,
        "lead_id": pl.String,
    },
    "credits": {"work_id": pl.String, "person_id": pl.String},
}
SYSTEM_DDL = """
  id uuid primary key, airtable_base_id text, airtable_table_id text, airtable_record_id text,
  airtable_created_at timestamptz, export_id text, source_hash bytea, locally_changed boolean not null default false,
  source_deleted_at timestamptz, created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
"""
DDL = f"""
create table public.people ({SYSTEM_DDL}, name text check (name <> 'refused'), favourite_id uuid);
create table public.works ({SYSTEM_DDL}, title text, body text, tags text[], pages integer,
  lead_id uuid references public.people deferrable initially immediate);
alter table public.people add foreign key (favourite_id) references public.works deferrable initially immediate;
create table public.credits ({SYSTEM_DDL},
  work_id uuid not null references public.works deferrable initially immediate,
  person_id uuid not null references public.people deferrable initially immediate);
alter table public.people enable row level security;
alter table public.works enable row level security;
alter table public.credits enable row level security;
select private.guard('public.people'), private.guard('public.works'), private.guard('public.credits');
"""


def _spec(name: str, source: str | None) -> TableSpec:
    def model() -> Any:
        return SimpleNamespace(columns=dict.fromkeys(MODELS[name]))

    def transform(_: object) -> Any:
        raise AssertionError("the load transforms nothing")

    return TableSpec(name=name, source=source, model=model, declares=(), transform=transform)


SPECS = (_spec("people", "People"), _spec("works", "Works"), _spec("credits", None))


@dataclass
class World:
    """The base as it is now; :meth:`export` and :meth:`ledger` write what a run would have written."""

    store: ObjectStore
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    works: dict[str, dict[str, Any]] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    """Exact text of single records, instead of the text made from their values."""
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    quarantined: list[tuple[str, str, str, str | None, str]] = field(default_factory=list)
    inventory: list[dict[str, Any]] | None = None
    indexed: bool = True
    """False: exports as they were before there was an index."""
    number: int = 0

    def person(
        self, record: str, name: str | None, *, created: str = JANUARY, favourite: str | None = None
    ) -> None:
        self.people[record] = {"created": created, "name": name, "favourite": favourite}

    def work(
        self,
        record: str,
        title: str | None,
        *,
        created: str = JANUARY,
        body: str | None = None,
        tags: Sequence[str | None] | None = None,
        pages: int | None = None,
        lead: str | None = None,
        by: Sequence[str] = (),
    ) -> None:
        self.works[record] = {
            "created": created, "title": title, "body": body, "tags": tags, "pages": pages, "lead": lead, "by": list(by)
        }  # fmt: skip

    def publish(self) -> tuple[Export, Ledger]:
        """A new export and its ledger."""
        export = self.export()
        return export, self.ledger(export)

    def export(self) -> Export:
        self.number += 1
        export_id = f"20261122T0800{self.number:02d}Z"
        tables = tuple(
            self._table(export_id, *args)
            for args in ((PEOPLE, "People", self.people), (WORKS, "Works", self.works))
        )
        metadata = json.dumps({"tables": [{"id": t.id, "name": t.name, "fields": []} for t in tables]})
        folder = f"exports/{export_id}"
        self.store.put(f"{folder}/metadata.json", metadata.encode())
        if self.inventory is not None:
            document = {"format": 1, "export_id": export_id, "downloaded": 0, "entries": self.inventory}
            self.store.put(f"{folder}/attachments.json", json.dumps(document).encode())
        moment = "2026-11-22T08:00:00+00:00"
        manifest = ExportManifest(
            export_id,
            "staging",
            BASE,
            moment,
            moment,
            False,
            3,
            hashlib.sha256(metadata.encode()).hexdigest(),
            tables,
        )
        self.store.put(f"{folder}/MANIFEST.json", manifest.to_json())
        return Export(self.store, export_id)

    def _table(
        self, export_id: str, table_id: str, name: str, records: Mapping[str, Mapping[str, Any]]
    ) -> TableManifest:
        lines = [self.raw.get(record) or self._text(record, values) for record, values in records.items()]
        pages = [lines[i : i + 100] for i in range(0, len(lines), 100)]
        for number, page in enumerate(pages):
            self.store.put(page_key(export_id, table_id, number), pack(page))
        comments = [
            json.dumps({"record_id": record, "comment": comment})
            for record in records
            for comment in self.comments.get(record, [])
        ]
        if comments:
            self.store.put(f"exports/{export_id}/comments/{table_id}.jsonl.zst", pack(comments))
        index = pack_index(index_of(pages))
        self.store.put(index_key(export_id, table_id), index)
        sha256 = hashlib.sha256(index).hexdigest() if self.indexed else ""
        return TableManifest(
            table_id, name, len(lines), len(pages), 0, len(comments), "", "", "", "", index_sha256=sha256
        )

    @staticmethod
    def _text(record: str, values: Mapping[str, Any]) -> str:
        fields = {f"fld{name}": value for name, value in values.items() if name != "created" and value}
        return json.dumps({"id": record, "createdTime": values["created"], "fields": fields})

    def ledger(self, export: Export) -> Ledger:
        ledger_id = f"{export.export_id}-ledger"
        works, people = (lambda r: row_id(BASE, WORKS, r)), (lambda r: row_id(BASE, PEOPLE, r))
        rows = {
            "people": [
                (people(r), PEOPLE, r, p["created"], p["name"], p["favourite"] and works(p["favourite"]))
                for r, p in self.people.items()
            ],
            "works": [
                (
                    works(r),
                    WORKS,
                    r,
                    w["created"],
                    w["title"],
                    w["body"],
                    w["tags"],
                    w["pages"],
                    w["lead"] and people(w["lead"]),
                )
                for r, w in self.works.items()
            ],
            "credits": [
                (row_id(BASE, "credits", r, by), WORKS, r, w["created"], works(r), people(by))
                for r, w in self.works.items()
                for by in w["by"]
            ],
        }
        frames = {name: _frame(name, values) for name, values in rows.items()}
        files = {name: self._parquet(ledger_id, name, frame) for name, frame in frames.items()}
        text = pl.String
        quarantine = pl.DataFrame(
            self.quarantined,
            schema={"table": text, "table_id": text, "record_id": text, "field": text, "reason": text},
            orient="row",
        )
        files["quarantine"] = self._parquet(ledger_id, "quarantine", quarantine)
        files["skipped"] = self._parquet(
            ledger_id,
            "skipped",
            pl.DataFrame(schema={"table": text, "table_id": text, "record_id": text, "rule": text}),
        )
        reported = {
            "table": text,
            "kind": text,
            "table_id": text,
            "record_id": text,
            "field": text,
            "reason": text,
        }
        files["reported"] = self._parquet(ledger_id, "reported", pl.DataFrame(schema=reported))
        tables = tuple(
            LedgerTable(name, frame.height, ids_digest(frame), 0, 0, 0, 0, {})
            for name, frame in frames.items()
        )
        manifest = LedgerManifest(ledger_id, export.export_id, BASE, "", "", tables, (), files)
        self.store.put(f"ledger/{ledger_id}/MANIFEST.json", manifest.to_json())
        return Ledger(self.store, ledger_id)

    def replace_frame(self, ledger: Ledger, name: str, frame: pl.DataFrame) -> Ledger:
        """The ledger with another frame, as whole as if it had been built so."""
        files = {**ledger.manifest.files, name: self._parquet(ledger.ledger_id, name, frame)}
        tables = tuple(
            replace(t, rows=frame.height, sha256=ids_digest(frame)) if t.name == name else t
            for t in ledger.manifest.tables
        )
        manifest = replace(ledger.manifest, files=files, tables=tables)
        self.store.put(f"ledger/{ledger.ledger_id}/MANIFEST.json", manifest.to_json())
        return Ledger(self.store, ledger.ledger_id)

    def _parquet(self, ledger_id: str, name: str, frame: pl.DataFrame) -> str:
        import io

        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        self.store.put(f"ledger/{ledger_id}/{name}.parquet", buffer.getvalue())
        return hashlib.sha256(buffer.getvalue()).hexdigest()


def _frame(name: str, values: Sequence[Sequence[Any]]) -> pl.DataFrame:
    rows = [(v[0], BASE, v[1], v[2], datetime.fromisoformat(v[3]), *v[4:]) for v in values]
    hashes = [hashlib.sha256(json.dumps(v[4:]).encode()).digest() for v in values]
    frame = pl.DataFrame(rows, schema={**SYSTEM, **MODELS[name]}, orient="row")
    return frame.with_columns(source_hash=pl.Series(hashes, dtype=pl.Binary))


def run(
    conn: psycopg.Connection, world: World, made: tuple[Export, Ledger] | None = None, **options: Any
) -> LoadReport:
    """Load what the base is now (or what was ``made`` before)."""
    export, ledger = made or world.publish()
    settings = {
        "environment": "staging",
        "specs": SPECS,
        "run_id": "test",
        "first_month": FIRST_MONTH,
        **options,
    }
    return load(conn, world.store, export, ledger if settings["specs"] else None, **settings)


def contents(conn: psycopg.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a load decides, without clock and counters, for comparing two databases."""
    queries = {
        "people": "select id, name, favourite_id, source_hash, source_deleted_at is null from people order by id",
        "works": "select id, title, body, tags, pages, lead_id, source_hash, source_deleted_at is null "
        "from works order by id",
        "credits": "select id, work_id, person_id, source_hash, source_deleted_at is null from credits order by id",
        "records": "select table_id, record_id, raw, fields::text, lossy, source_deleted_at is null "
        "from airtable.records order by 1, 2",
        "findings": "select id, kind, status from migration.findings order by id",
        "target": "select environment, base_id from migration.target",
    }
    with conn.transaction():
        return {name: conn.execute(query).fetchall() for name, query in queries.items()}


if __name__ == "__main__":
    url, store_url, export_id, ledger_id = sys.argv[1:]
    objects = open_store(store_url)
    with connect(url, application_name="killed") as connection:
        run(connection, World(objects), (Export(objects, export_id), Ledger(objects, ledger_id)))
