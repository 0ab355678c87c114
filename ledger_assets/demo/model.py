"""What a base consists of: tables, fields, their ids, and the metadata that Airtable's API delivers of them.

Shared by the synthetic base, the base of every shape and the server. No record lives here.

Invariants: an id follows from its name alone (17 characters), so that a base made again has the same ids; a
derived field (lookup, rollup, count, formula) names what it is derived from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def airtable_id(prefix: str, *parts: object) -> str:
    """An id as Airtable's: ``prefix`` (rec, fld, ...) and 14 letters or digits that follow from ``parts``."""
    number = int.from_bytes(hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()[:11], "big")
    letters = []
    for _ in range(14):
        number, rest = divmod(number, 62)
        letters.append(ALPHABET[rest])
    return prefix + "".join(letters)


@dataclass(frozen=True)
class Field:
    """A field. ``via`` and ``of`` are names: the link field of this table, the field of the linked table.

    ``aggregate``: how a rollup aggregates (``unique``: the distinct non-empty values, in link order;
    ``sum``); Airtable's metadata does not tell it. ``formula``: see :mod:`ledger_assets.demo.derived`.
    ``id``: set where it does not follow from the name (a renamed field).
    ``bare``: delivered without ``options``, as some real bases have it.
    """

    name: str
    type: str
    options: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    to: str | None = None
    inverse: str | None = None
    single: bool = False
    via: str | None = None
    of: str | None = None
    aggregate: str | None = None
    formula: str | None = None
    description: str | None = None
    bare: bool = False
    id: str | None = None


@dataclass(frozen=True)
class Table:
    """A table; the first field is the primary one."""

    name: str
    fields: tuple[Field, ...]

    @property
    def id(self) -> str:
        """tbl..."""
        return airtable_id("tbl", self.name)

    def field(self, name: str) -> Field:
        """The field of that exact name. Raises KeyError."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    def field_id(self, name: str) -> str:
        """fld... of the field of that name. Raises KeyError."""
        return self.field(name).id or airtable_id("fld", self.name, name)


def text(name: str, *, kind: str = "singleLineText", description: str | None = None) -> Field:
    """A text field: singleLineText, multilineText, richText, email, url, phoneNumber."""
    return Field(name, kind, description=description)


def long_text(name: str) -> Field:
    """A multilineText field."""
    return Field(name, "multilineText")


def select(name: str, *choices: str) -> Field:
    """A singleSelect field."""
    return Field(name, "singleSelect", choices=choices)


def selects(name: str, *choices: str) -> Field:
    """A multipleSelects field."""
    return Field(name, "multipleSelects", choices=choices)


def checkbox(name: str) -> Field:
    """A checkbox field."""
    return Field(name, "checkbox", {"icon": "check", "color": "greenBright"})


def date(name: str) -> Field:
    """A date field without time."""
    return Field(name, "date", {"dateFormat": {"name": "iso", "format": "YYYY-MM-DD"}})


def attachments(name: str) -> Field:
    """A multipleAttachments field."""
    return Field(name, "multipleAttachments", {"isReversed": False})


def link(name: str, to: str, inverse: str | None, *, single: bool = False) -> Field:
    """A link to table ``to``; ``inverse`` is the field there that shows the same links (None: one-way)."""
    return Field(name, "multipleRecordLinks", to=to, inverse=inverse, single=single)


def lookup(name: str, via: str, of: str) -> Field:
    """The values of ``of`` in the records linked by ``via``."""
    return Field(name, "multipleLookupValues", via=via, of=of)


def rollup(name: str, via: str, of: str, aggregate: str = "unique") -> Field:
    """An aggregation of ``of`` over the records linked by ``via``."""
    return Field(name, "rollup", via=via, of=of, aggregate=aggregate)


def count(name: str, via: str) -> Field:
    """The number of links in ``via``."""
    return Field(name, "count", via=via)


def created_time(name: str) -> Field:
    """The record's createdTime as a field."""
    return Field(name, "createdTime", {"result": {"type": "dateTime", "options": DATE_TIME}})


DATE_TIME: Mapping[str, Any] = {
    "dateFormat": {"name": "iso", "format": "YYYY-MM-DD"},
    "timeFormat": {"name": "24hour", "format": "HH:mm"},
    "timeZone": "utc",
}


def metadata(tables: Iterable[Table]) -> dict[str, Any]:
    """The body of ``GET /v0/meta/bases/{base}/tables``."""
    by_name = {table.name: table for table in tables}
    return {
        "tables": [
            {
                "id": table.id,
                "name": table.name,
                "primaryFieldId": table.field_id(table.fields[0].name),
                "fields": [_field_metadata(by_name, table, f) for f in table.fields],
                "views": [{"id": airtable_id("viw", table.name), "name": "Grid view", "type": "grid"}],
            }
            for table in by_name.values()
        ]
    }


def _field_metadata(tables: Mapping[str, Table], table: Table, f: Field) -> dict[str, Any]:
    document: dict[str, Any] = {"id": table.field_id(f.name), "name": f.name, "type": f.type}
    if f.description is not None:
        document["description"] = f.description
    options = _options(tables, table, f)
    if options and not f.bare:
        document["options"] = options
    return document


def _options(tables: Mapping[str, Table], table: Table, f: Field) -> dict[str, Any]:
    if f.type in {"singleSelect", "multipleSelects"}:
        return {"choices": [choice(table, f, name) for name in f.choices]}
    if f.type == "multipleRecordLinks" and f.to is not None:
        options: dict[str, Any] = {
            "linkedTableId": airtable_id("tbl", f.to),
            "isReversed": False,
            "prefersSingleRecordLink": f.single,
        }
        if f.inverse is not None:
            options["inverseLinkFieldId"] = tables[f.to].field_id(f.inverse)
        return options
    if f.via is not None:
        return _derived_options(tables, table, f)
    return dict(f.options)


def choice(table: Table, f: Field, name: str) -> dict[str, str]:
    """A select's option as the metadata and the webhooks deliver it."""
    return {"id": airtable_id("sel", table.name, f.name, name), "name": name, "color": "blueLight2"}


def _derived_options(tables: Mapping[str, Table], table: Table, f: Field) -> dict[str, Any]:
    assert f.via is not None
    options: dict[str, Any] = {"isValid": True, "recordLinkFieldId": table.field_id(f.via)}
    if f.of is None:
        return options
    linked = table.field(f.via).to
    assert linked is not None
    options["fieldIdInLinkedTable"] = tables[linked].field_id(f.of)
    options["result"] = _result(tables, tables[linked], f.of)
    if f.type == "rollup":
        options["referencedFieldIds"] = [options["fieldIdInLinkedTable"]]
        if f.aggregate == "sum":
            options["result"] = {"type": "number", "options": {"precision": 2}}
    return {**options, **f.options}


def _result(tables: Mapping[str, Table], table: Table, name: str) -> dict[str, Any]:
    target = table.field(name)
    if target.type in {"multipleLookupValues", "rollup"} and target.aggregate != "sum":
        result = _options(tables, table, target)["result"]
        return dict(result)
    if target.type == "formula":
        return dict(target.options["result"])
    options = _options(tables, table, target)
    return {"type": target.type, "options": options} if options else {"type": target.type}
