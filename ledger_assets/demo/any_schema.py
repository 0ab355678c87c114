"""The tables of the base of every shape: each field type of Airtable's API, linked in circles, oddly named.

Only declarations; :mod:`ledger_assets.demo.any_base` makes the records. Names collide when lower-cased or when
punctuation is dropped, on purpose; some fields come without ``options``, one has a type that nobody knows.
"""

from __future__ import annotations

from ledger_assets.demo.model import (
    DATE_TIME,
    Field,
    Table,
    airtable_id,
    attachments,
    checkbox,
    count,
    created_time,
    date,
    link,
    long_text,
    lookup,
    rollup,
    select,
    selects,
    text,
)

HIDDEN_TABLE = airtable_id("tbl", "a table that the token may not see")
LEVELS = ("B2C", "b2c", "B2B, wholesale", "", "none", "N/A")
"""Options that differ by case only, hold a comma, or are empty."""
LANGUAGES = ("English", "Kriol", "english", "Pitjantjatjara / Yankunytjatjara", "a,b", "a")


def _formula(name: str, value: str, result: str) -> Field:
    options = {"isValid": True, "formula": value, "referencedFieldIds": [], "result": {"type": result}}
    return Field(name, "formula", options, formula=value)


def _number(name: str, kind: str, precision: int) -> Field:
    options: dict[str, object] = {"precision": precision}
    if kind == "currency":
        options["symbol"] = "$"
    return Field(name, kind, options)


def _time(name: str, kind: str, result: str) -> Field:
    return Field(name, kind, {"isValid": True, "referencedFieldIds": [], "result": {"type": result}})


EVERYTHING = Table(
    "Everything",
    (
        text("Title"),
        text("Long line", description="Up to 200 characters in a single line."),
        long_text("Notes"),
        text("Rich notes", kind="richText"),
        text("Mail", kind="email"),
        text("Page", kind="url"),
        text("Phone", kind="phoneNumber"),
        checkbox("Agreed"),
        _number("Amount", "number", 8),
        _number("Price", "currency", 2),
        _number("Share", "percent", 1),
        Field("Length", "duration", {"durationFormat": "h:mm:ss.SSS"}),
        Field("Stars", "rating", {"icon": "star", "max": 10, "color": "yellowBright"}),
        date("Day"),
        Field("Moment", "dateTime", DATE_TIME),
        created_time("Made"),
        Field(
            "Made on", "createdTime", {"result": {"type": "date", "options": {"dateFormat": {"name": "iso"}}}}
        ),
        Field("Changed", "lastModifiedTime", {"result": {"type": "dateTime", "options": DATE_TIME}}),
        select("Level", *LEVELS),
        selects("Languages", *LANGUAGES),
        link("People", "People", "Everything"),
        link("Main person", "People", "# linked items", single=True),
        attachments("Files"),
        Field("Owner", "singleCollaborator"),
        Field("Team", "multipleCollaborators"),
        Field("Made by", "createdBy"),
        Field("Changed by", "lastModifiedBy"),
        Field("Number", "autoNumber"),
        Field("Code", "barcode"),
        Field("Open", "button"),
        Field("Machine summary", "aiText", {"prompt": ["Summarise"], "referencedFieldIds": []}),
        Field("Synced from", "externalSyncSource", {"choices": []}),
        Field("Order by hand", "manualSort"),
        Field("Quantum", "quantumText", {"entangled": True}, description="A type that nobody knows."),
        _formula("Always wrong", '{"error":"#ERROR!"}', "number"),
        _formula("Not a number", '{"specialValue":"NaN"}', "number"),
        _formula("Endless", '{"specialValue":"Infinity"}', "number"),
        _formula("Yes", "true", "checkbox"),
        count("People count", "People"),
        lookup("Names of people", "People", "Name"),
        lookup("People agreed", "People", "Agreed"),
        lookup("Weights of people", "People", "Weight"),
        lookup("Errors of people", "People", "Broken"),
        rollup("Weight in all", "People", "Weight", "sum"),
        rollup("Levels of people", "People", "Level"),
        Field("Broken lookup", "multipleLookupValues", {"isValid": False, "result": None}),
    ),
)

PEOPLE = Table(
    "People",
    (
        text("Name"),
        checkbox("Agreed"),
        _number("Weight", "number", 3),
        _formula("Broken", '{"error":"circular reference"}', "singleLineText"),
        select("Level", *LEVELS),
        link("Everything", "Everything", "People"),
        link("# linked items", "Everything", "Main person"),
        text("linked_items"),
        text("A b"),
        text("a_b"),
        text("a b "),
        link("Place in the tree", "Tree", None),
        link("Ring", "Ring A", "People"),
    ),
)


def _ring(name: str, before: str, after: str, *more: Field) -> Table:
    return Table(
        name,
        (
            text("Name"),
            link("Next", after, "Previous"),
            link("Previous", before, "Next"),
            lookup("Name (from Next)", "Next", "Name"),
            *more,
        ),
    )


RING_A = _ring(
    "Ring A",
    "Ring C",
    "Ring B",
    link("People", "People", "Ring"),
    lookup("Level (from People)", "People", "Level"),
    lookup("Names of everything", "People", "Everything"),
)
RING_B = _ring("Ring B", "Ring A", "Ring C")
RING_C = _ring("Ring C", "Ring B", "Ring A")

TREE = Table(
    "Tree",
    (
        text("Name"),
        link("Parent", "Tree", None, single=True),
        lookup("Name (from Parent)", "Parent", "Name"),
        Field(
            "Hidden records",
            "multipleRecordLinks",
            {"linkedTableId": HIDDEN_TABLE, "isReversed": False, "prefersSingleRecordLink": False},
        ),
        Field(
            "Name (from Hidden records)",
            "multipleLookupValues",
            {
                "isValid": True,
                "recordLinkFieldId": airtable_id("fld", "Tree", "Hidden records"),
                "fieldIdInLinkedTable": airtable_id("fld", HIDDEN_TABLE, "Name"),
                "result": {"type": "singleLineText"},
            },
        ),
    ),
)

FIELD_NOTES = Table(
    "Field notes", (long_text("Note"), Field("Kind", "singleSelect", bare=True), checkbox("Done"))
)
FIELD_NOTES_TOO = Table(
    "field_notes",
    (
        text("Note"),
        Field("Amount", "number", bare=True),
        Field("Day", "date", bare=True),
        Field("Twin", "multipleRecordLinks", to="FIELD-notes", inverse="Twin", bare=True),
    ),
)
FIELD_NOTES_THREE = Table(
    "FIELD-notes",
    (text("Note"), link("Twin", "field_notes", "Twin"), lookup("Note (from Twin)", "Twin", "Note")),
)
BLANK_ROWS = Table("Blank rows", (text("Name"), checkbox("Ticked"), selects("Tags", "one", "two")))
NOTHING_YET = Table("Nothing yet", (text("Name"), _number("Amount", "number", 0)))
ODD_VALUES = Table(
    "Odd values: 日本語 / #1?",
    (
        text("Name"),
        long_text("Text"),
        _number("Number", "number", 0),
        Field("Anything", "quantumText", bare=True),
        Field("x" * 80, "singleLineText"),
        Field("x" * 80 + "y", "singleLineText"),
        Field("select", "singleLineText"),
        Field('quote " and \\ and {brace}', "singleLineText"),
    ),
)

TABLES = (
    EVERYTHING,
    PEOPLE,
    RING_A,
    RING_B,
    RING_C,
    TREE,
    FIELD_NOTES,
    FIELD_NOTES_TOO,
    FIELD_NOTES_THREE,
    BLANK_ROWS,
    NOTHING_YET,
    ODD_VALUES,
)
"""In the order the metadata delivers them."""
