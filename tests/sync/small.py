"""A base small enough for hundreds of histories, with every way in which a record follows from others: two-way and one-way
links, chains of lookups, rollups of links' names, counts, formulas, a ring, times.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledger_assets.demo.basefile import BaseFile, tables_to_json
from ledger_assets.demo.model import DATE_TIME, Field, Table, checkbox, count, link, lookup, rollup, text

BASE_ID = "appSyncHistories01"

PEOPLE = Table(
    "People",
    (
        text("Name"),
        checkbox("Agreed"),
        link("Stories", "Stories", "People"),
        link("Mentor", "People", "Pupils", single=True),
        link("Pupils", "People", "Mentor"),
        link("Place", "Places", None),
        lookup("Place name", "Place", "Name"),
        lookup("Mentor's place", "Mentor", "Place name"),
        lookup("Mentor's mentor's agreed", "Mentor", "Mentor's agreed"),
        lookup("Mentor's agreed", "Mentor", "Agreed"),
        count("Story count", "Stories"),
        Field(
            "Changed",
            "lastModifiedTime",
            {"isValid": True, "referencedFieldIds": [], "result": {"type": "dateTime", "options": DATE_TIME}},
        ),
        Field(
            "Age",
            "formula",
            {
                "isValid": True,
                "formula": "DATETIME_DIFF(TODAY(), {Born})",
                "referencedFieldIds": [],
                "result": {"type": "number"},
            },
            formula="41",
        ),
    ),
)
STORIES = Table(
    "Stories",
    (
        text("Title"),
        checkbox("Public"),
        link("People", "People", "Stories"),
        link("Themes", "Themes", "Stories"),
        lookup("Names", "People", "Name"),
        lookup("Places", "People", "Place name"),
        rollup("Agreed", "People", "Agreed"),
        lookup("Ages", "People", "Age"),
        count("Theme count", "Themes"),
    ),
)
THEMES = Table(
    "Themes",
    (
        text("Name"),
        link("Stories", "Stories", "Themes"),
        lookup("Titles", "Stories", "Title"),
        lookup("Names", "Stories", "Names"),
        lookup("Places", "Stories", "Places"),
    ),
)
PLACES = Table("Places", (text("Name"), checkbox("Remote")))
NOTES = Table(
    "Notes",
    (
        text("Note"),
        link("About", "Themes", None),
        lookup("Who", "About", "Names"),
        link("Written at", "Places", None),
    ),
)
TABLES = (PEOPLE, STORIES, THEMES, PLACES, NOTES)
TIME_FIELDS = ("People: Age", "Stories: Ages")


def create_small_base(path: Path, tables: tuple[Table, ...] = TABLES) -> None:
    """An empty base of these tables."""
    file = BaseFile(path, create=True)
    for key, value in {"base_id": BASE_ID, "shape": "any_base", "seed": "1", "autonumber": "1"}.items():
        file.set_meta(key, value)
    file.set_meta("tables", tables_to_json(tables))
    file.finish()
    file.close()


def cells(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """Values by field id, as requests may have them too."""
    return {table.field_id(name): value for name, value in values.items()}
