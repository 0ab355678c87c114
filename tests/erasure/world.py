"""A base in which one person's every word is one word, its lane run step by step without Dagster, and a search for that
word in every byte stored."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pyairtable
import requests
import zstandard

from ledger_assets import reports
from ledger_assets.demo import schema
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.erasure.model import Erasure
from ledger_assets.erasure.requests import carried_out
from ledger_assets.extract.attachments import download_attachments, read_inventory
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import Export
from ledger_assets.extract.run import export_base
from ledger_assets.ledger.build import build_ledger
from ledger_assets.ledger.store import Ledger
from ledger_assets.load.load import load
from ledger_assets.load.report import LoadReport
from ledger_assets.proof.model import Proof
from ledger_assets.proof.page import render
from ledger_assets.proof.reconcile import reconcile
from ledger_assets.proof.report import document
from ledger_assets.storage import ObjectStore
from ledger_assets.tables import SPECS
from ledger_assets.tables.fields import TableSpec

WORD = "zyzzyva"
ME, MEDIA, STORIES = schema.STORYTELLERS, schema.MEDIA, schema.STORIES
TEXTS = {"singleLineText", "multilineText", "email", "phoneNumber", "url"}


@dataclass
class Person:
    """The person in the word, their own records, and a record of others that shows their words."""

    id: str
    records: dict[str, set[str]] = field(default_factory=dict)


def plant(airtable: LocalAirtable) -> Person:
    """Add the person with an interview, a story, a quote and a theme of their own; another's interview names them too."""
    api = pyairtable.Api(airtable.api_key, endpoint_url=airtable.url)
    base = {table.name: api.table(airtable.base_id, table.id) for table in schema.TABLES}

    def add(table: Any, **links: list[str]) -> str:
        words: dict[str, Any] = {f.name: f"{WORD} {f.name}" for f in table.fields if f.type in TEXTS}
        for name in words:
            if "URL" in name or "ink" in name:
                words[name] = f"https://{WORD}.example.org/"
        files = {
            f.name: [{"url": f"https://example.org/{WORD}.png", "filename": f"{WORD} {f.name}.png"}]
            for f in table.fields
            if f.type == "multipleAttachments"
        }
        return str(base[table.name].create({**words, **files, **links}, typecast=True)["id"])

    person = add(ME)
    interview = add(MEDIA, Storytellers=[person])
    story = add(STORIES, Storytellers=[person], Media=[interview])
    theme = add(schema.THEMES, **{"Related Media": [interview]})
    quote = add(schema.QUOTES, **{"Transcript Reference": [interview]})
    # Others' records that show the person's words: an interview together, told in another's story, on another's theme.
    others = [one for one in base["Storytellers"].all() if one["fields"].get("Name") and one["id"] != person]
    together = base["Media"].create(
        {"File Name": "Together", "Transcript": "quokka", "Storytellers": [person, others[0]["id"]]}
    )
    story_of_other = base["Stories"].create(
        {"Title": "Told by another", "Media": [together["id"]], "Storytellers": [others[0]["id"]]}
    )
    base["Themes"].create({"Theme Name": "Of both", "Related Media": [together["id"]]})
    base["Quotes"].create({"Quote Text": "quokka said", "Transcript Reference": [together["id"]]})
    assert story_of_other
    for table, record in ((ME, person), (STORIES, story), (MEDIA, interview)):
        requests.post(
            f"{airtable.url}/v0/{airtable.base_id}/{table.id}/{record}/comments",
            json={"text": f"about {WORD}"},
            headers={"Authorization": f"Bearer {airtable.api_key}"},
            timeout=30,
        ).raise_for_status()
    return Person(
        person,
        {
            ME.id: {person},
            MEDIA.id: {interview},
            STORIES.id: {story},
            schema.THEMES.id: {theme},
            schema.QUOTES.id: {quote},
        },
    )


@dataclass
class Steps:
    """The lane's steps on one base, store and database."""

    airtable: LocalAirtable
    store: ObjectStore
    conn: psycopg.Connection
    home: Path
    specs: Sequence[TableSpec] = SPECS

    @contextmanager
    def client(self) -> Iterator[AirtableClient]:
        client = AirtableClient(
            self.airtable.url,
            self.airtable.api_key,
            self.airtable.base_id,
            requests_per_second=100_000.0,
            lock_folder=self.home / "locks",
        )
        yield client
        client.close()

    def export(self, erased: Sequence[Erasure] = (), **options: Any) -> Export:
        with self.client() as client:
            manifest = export_base(client, self.store, environment="staging", erased=erased, **options)
            export = Export(self.store, manifest.export_id)
            download_attachments(client, self.store, export)
        return export

    def ledger(self, export: Export) -> Ledger | None:
        if not self.specs:
            return None
        inventory = read_inventory(self.store, export.export_id)
        return Ledger(
            self.store, build_ledger(self.store, export, specs=self.specs, inventory=inventory).ledger_id
        )

    def load(self, export: Export, ledger: Ledger | None) -> LoadReport:
        report = load(
            self.conn,
            self.store,
            export,
            ledger,
            environment="staging",
            specs=self.specs,
            run_id="run",
            first_month=date(2024, 10, 1),
        )
        assert report.committed, [check for check in report.checks if not check.passed]
        return report

    def prove(self, export: Export, ledger: Ledger | None) -> Proof:
        """The proof, its report written as a migration does."""
        proof = reconcile(self.conn, store=self.store, export=export, ledger=ledger, specs=self.specs)
        reports.publish(self.store, f"run-{export.export_id}", "proof", document(proof), render(proof))
        return proof

    def migrate(self, erased: Sequence[Erasure] = ()) -> tuple[LoadReport, Proof]:
        export = self.export(erased)
        ledger = self.ledger(export)
        return self.load(export, ledger), self.prove(export, ledger)

    def erase(self, person: Person) -> tuple[Erasure, ...]:
        """As a steward does in Postgres."""
        with self.conn.transaction():
            self.conn.execute(
                "insert into public.erasure_requests (scope, storyteller_id, reason) "
                "select 'storyteller', id, %s from public.storytellers where airtable_record_id = %s",
                (WORD, person.id),
            )
            self.conn.execute(
                "select private.erase(id) from public.erasure_requests where state = 'requested'"
            )
        return carried_out(self.conn)


def written(report: LoadReport) -> dict[str, int]:
    """Rows that a load wrote, by table, where there are any."""
    counts = {**report.tables, **report.raw, "comments": report.comments, "attachments": report.attachments}
    found = {name: c.inserted + c.updated + c.deleted + c.returned for name, c in counts.items()}
    return {name: number for name, number in found.items() if number}


def failed(proof: Proof) -> list[tuple[str, str, Any]]:
    return [(check.table, check.name, check.detail) for check in proof.checks if not check.passed]


def content(key: str, data: bytes) -> bytes:
    """The object as whoever opens it reads it."""
    if key.endswith(".zst"):
        return zstandard.ZstdDecompressor().decompress(data)
    if key.endswith(".parquet"):
        frame = pl.read_parquet(io.BytesIO(data))
        return repr(frame.rows()).encode()
    return data


def holding(store: ObjectStore, word: str = WORD) -> list[str]:
    """Keys of the objects that hold the word, by name, as they lie there, or opened."""
    found = []
    for entry in store.list(""):
        data = store.get(entry.key)
        text = entry.key.encode() + data + content(entry.key, data)
        if word.encode() in text.lower():
            found.append(entry.key)
    return found
