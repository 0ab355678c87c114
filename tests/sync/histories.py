"""Random histories of a base, and what two exports must have in common to be equal."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
from hypothesis import strategies as st

from ledger_assets.demo.model import Table
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.extract.content import without_addresses
from ledger_assets.extract.cut import cut
from ledger_assets.extract.export import Export
from ledger_assets.sync.depends import time_fields

from .small import NOTES, PEOPLE, PLACES, STORIES, TABLES, THEMES

LINKS = {
    PEOPLE.name: {"Stories": STORIES, "Mentor": PEOPLE, "Pupils": PEOPLE, "Place": PLACES},
    STORIES.name: {"People": PEOPLE, "Themes": THEMES},
    THEMES.name: {"Stories": STORIES},
    PLACES.name: {},
    NOTES.name: {"About": THEMES, "Written at": PLACES},
}
CHECKBOXES = {PEOPLE.name: "Agreed", STORIES.name: "Public", PLACES.name: "Remote"}
WORDS = ("", "river", "Dreaming \u00e9\U0001f30f", '"quoted" \\ and {braced}', "two\nlines", "river ")
KINDS = (
    "create",
    "text",
    "empty",
    "tick",
    "untick",
    "link",
    "unlink",
    "delete",
    "comment",
    "delete comment",
    "nothing",
)

Edit = tuple[str, int, int, int]
"""What happens, and three numbers by which table, record and value are chosen."""

edits = st.lists(st.tuples(st.sampled_from(KINDS), *[st.integers(0, 10_000)] * 3), max_size=25)


@dataclass
class Writer:
    """Somebody who edits the base. ``touching``: comments come with an edit of their record."""

    airtable: LocalAirtable
    touching: bool = True
    ids: dict[str, list[str]] = field(default_factory=lambda: {table.name: [] for table in TABLES})
    numbers: Iterator[int] = field(default_factory=itertools.count)
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.headers["Authorization"] = f"Bearer {self.airtable.api_key}"

    def all(self, history: Iterable[Edit]) -> None:
        """Do all of it."""
        for kind, *numbers in history:
            self.one(kind, *numbers)

    def one(self, kind: str, which: int, record: int, value: int) -> None:
        """One edit; nothing when there is no record for it."""
        table = TABLES[which % len(TABLES)]
        if kind == "create":
            self.create(table, value)
            return
        ids = self.ids[table.name]
        if not ids:
            return
        chosen = ids[record % len(ids)]
        word = WORDS[value % len(WORDS)]
        primary = table.fields[0].name
        if kind == "text":
            self.update(table, chosen, {primary: f"{word}{value}"})
        elif kind == "empty":
            self.update(table, chosen, {primary: None})
        elif kind in {"tick", "untick"} and table.name in CHECKBOXES:
            self.update(table, chosen, {CHECKBOXES[table.name]: kind == "tick"})
        elif kind in {"link", "unlink"} and LINKS[table.name]:
            name, to = sorted(LINKS[table.name].items())[value % len(LINKS[table.name])]
            self.update(table, chosen, {name: self.some(to, value) if kind == "link" else []})
        elif kind == "delete":
            ids.remove(chosen)
            self.request("DELETE", f"{table.id}/{chosen}")
        elif kind == "comment":
            self.comment(table, chosen, word or "none")
        elif kind == "delete comment":
            self.delete_comment(table, chosen)

    def create(self, table: Table, value: int, **more: Any) -> str:
        """A new record, linked to some."""
        values: dict[str, Any] = {table.fields[0].name: f"{WORDS[value % len(WORDS)]}{value}"}
        if value % 3:
            values |= {name: self.some(to, value) for name, to in LINKS[table.name].items()}
        if value % 2 and table.name in CHECKBOXES:
            values[CHECKBOXES[table.name]] = True
        made = str(self.request("POST", table.id, {"fields": values | more})["id"])
        self.ids[table.name].append(made)
        return made

    def some(self, table: Table, value: int) -> list[str]:
        """Records of a table, none to three."""
        ids = self.ids[table.name]
        return sorted({ids[(value + step * 7) % len(ids)] for step in range(value % 4)}) if ids else []

    def update(self, table: Table, record: str, values: dict[str, Any]) -> None:
        """Other cells."""
        self.request("PATCH", f"{table.id}/{record}", {"fields": values})

    def comment(self, table: Table, record: str, words: str) -> None:
        """A comment, which no webhook tells."""
        self.request("POST", f"{table.id}/{record}/comments", {"text": words})
        self.touch(table, record)

    def delete_comment(self, table: Table, record: str) -> None:
        """The newest comment goes."""
        found = self.request("GET", f"{table.id}/{record}/comments")["comments"]
        if found:
            self.request("DELETE", f"{table.id}/{record}/comments/{found[0]['id']}")
            self.touch(table, record)

    def touch(self, table: Table, record: str) -> None:
        """An edit by which the webhook tells of the record."""
        if self.touching:
            self.update(table, record, {table.fields[0].name: f"touched {next(self.numbers)}"})

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A request as any client makes it."""
        whole = path.startswith(("meta/", "bases/"))
        url = f"{self.airtable.url}/v0/{'' if whole else f'{self.airtable.base_id}/'}{path}"
        answer = self.session.request(method, url, json=body)
        answer.raise_for_status()
        return answer.json()


def content(export: Export) -> dict[str, Any]:
    """What an export says of the base: no addresses of files, nothing that changes with time alone, no order of pages."""
    times = time_fields(export.metadata)
    return {
        "design": export.metadata_text,
        "records": {
            table.id: sorted(
                _of_the_moment(record.raw, times[table.id]) for record in export.records(table.id)
            )
            for table in export.manifest.tables
        },
        "comments": {table.id: sorted(export.comments(table.id)) for table in export.manifest.tables},
        "ids": {table.id: table.ids_sha256 for table in export.manifest.tables},
        "counts": {table.id: (table.records, table.comments) for table in export.manifest.tables},
        "kept back": {table.id: (table.erased, table.redacted) for table in export.manifest.tables},
    }


def _of_the_moment(raw: str, times: frozenset[str]) -> str:
    return without_addresses(cut(raw, lambda name, _: name not in times)[0])
