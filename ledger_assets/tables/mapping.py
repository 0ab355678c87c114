"""Reviewed mapping files: which text, exactly as delivered, means which organisation,
project, place or consent.

A file ``<table>.toml`` holds the entries of one target table and the texts that a person has looked at and
that mean nothing of the kind:

    [[entry]]
    name = "Wattlebird House"
    kind = "nonprofit"
    texts = ["Wattlebird House", "wattlebird house"]

    [nothing]
    texts = ["Freelancer"]

Invariants: a text stands in a file at most once; what stands in none is unmapped, and nobody guesses.
Messages name the file and the entry's number, never a text: texts are people's cells.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping as Facts
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger_assets.errors import SettingsError
from ledger_assets.ids import row_id

SHIPPED = Path(__file__).parent / "mappings"
"""The files for the synthetic base."""
FACTS: Facts[str, Sequence[str]] = {
    "organisations": ("kind",),
    "projects": ("organisation?",),
    "locations": ("kind", "state?", "country"),
    "consents": ("purpose", "state"),
}
"""The facts that an entry of each file has; those that end with ``?`` may be absent."""


@dataclass(frozen=True)
class Entry:
    """One organisation, project, place or meaning of consent: its canonical name, its facts, its texts."""

    name: str
    facts: Facts[str, str]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Mapping:
    """The reviewed mapping of one target table; ``nothing``: texts that mean no row of it."""

    table: str
    entries: tuple[Entry, ...]
    nothing: frozenset[str]

    @property
    def known(self) -> list[str]:
        """Every text that somebody has reviewed."""
        return sorted({*self.nothing, *(text for entry in self.entries for text in entry.texts)})

    def ids(self, base_id: str) -> dict[str, str]:
        """Text to the id of its row."""
        return {
            text: row_id(base_id, self.table, entry.name) for entry in self.entries for text in entry.texts
        }


def load_mapping(folder: Path | None, table: str) -> Mapping:
    """The mapping of ``table`` in ``folder`` (None: the shipped one). Raises SettingsError."""
    path = (folder or SHIPPED) / f"{table}.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"LEDGER_MAPPINGS: {path} cannot be read ({error.strerror}); it maps {table}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise SettingsError(
            f"LEDGER_MAPPINGS: {path} is not TOML; see the files in ledger_assets/tables/mappings"
        ) from None
    unknown = set(document) - {"entry", "nothing"}
    if unknown:
        raise SettingsError(
            f"LEDGER_MAPPINGS: {path}: {sorted(unknown)[0]!r} is not known; use [[entry]] and [nothing]"
        )
    entries = tuple(_entry(path, n, e, FACTS[table]) for n, e in enumerate(document.get("entry", []), 1))
    nothing = _texts(path, "[nothing]", document.get("nothing", {}))
    _refuse_repeats(path, [e.name for e in entries], "name")
    _refuse_repeats(path, [*(t for e in entries for t in e.texts), *nothing], "text")
    return Mapping(table, entries, frozenset(nothing))


def _entry(path: Path, number: int, document: dict[str, Any], facts: Sequence[str]) -> Entry:
    where = f"[[entry]] number {number}"
    known = {fact.removesuffix("?") for fact in facts}
    unknown = set(document) - known - {"name", "texts"}
    if unknown:
        raise SettingsError(f"LEDGER_MAPPINGS: {path}: {where}: {sorted(unknown)[0]!r} is not known")
    for fact in ("name", *(f for f in facts if not f.endswith("?"))):
        if not isinstance(document.get(fact), str) or not document[fact].strip():
            raise SettingsError(f"LEDGER_MAPPINGS: {path}: {where}: {fact} is missing or empty")
    return Entry(
        document["name"],
        {k: str(document[k]) for k in sorted(known) if k in document},
        _texts(path, where, document),
    )


def _texts(path: Path, where: str, document: dict[str, Any]) -> tuple[str, ...]:
    texts = document.get("texts", [])
    if not isinstance(texts, list) or not all(isinstance(t, str) and t for t in texts):
        raise SettingsError(f"LEDGER_MAPPINGS: {path}: {where}: texts must be a list of texts")
    return tuple(texts)


def _refuse_repeats(path: Path, values: Sequence[str], what: str) -> None:
    if len(set(values)) < len(values):
        first = next(n for n, value in enumerate(values) if value in values[:n])
        raise SettingsError(
            f"LEDGER_MAPPINGS: {path}: {what} number {first + 1} stands there twice; it may mean one thing"
        )
