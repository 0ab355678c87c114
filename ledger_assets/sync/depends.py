"""What of a base is computed from what, by its metadata: where a changed record may change others that nobody reports.

What belongs here: the links that computed fields look through, the fields that change with time alone, and whether two
designs of a base are the same for its records. What does not: records (``spread``).

Airtable does not tell a lookup's or a count's filter, nor what a rollup makes of its values: so whoever looks through a
link may follow from every cell of the linked record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ledger_assets.extract.leave_out import FROM_FIELDS, LINK, LOOKUPS
from ledger_assets.extract.metadata import BaseMeta, FieldMeta, TableMeta

COMPUTED = (
    LOOKUPS
    | FROM_FIELDS
    | {"count", "createdTime", "lastModifiedTime", "lastModifiedBy", "button", "autoNumber"}
)
PLAIN = frozenset(
    {
        "singleLineText",
        "multilineText",
        "richText",
        "email",
        "url",
        "phoneNumber",
        "checkbox",
        "number",
        "currency",
        "percent",
        "duration",
        "rating",
        "date",
        "dateTime",
        "createdTime",
        "lastModifiedTime",
        "singleSelect",
        "multipleSelects",
        "multipleRecordLinks",
        "multipleAttachments",
        "singleCollaborator",
        "multipleCollaborators",
        "createdBy",
        "lastModifiedBy",
        "autoNumber",
        "barcode",
        "externalSyncSource",
        "manualSort",
    }
)
"""Types whose cells follow from no other record."""
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_OF_NOW = re.compile(r"\b(?:NOW|TODAY|FROMNOW|TONOW)\s*\(", re.IGNORECASE)


@dataclass(frozen=True)
class LinkField:
    """A link field: ``table`` holds it, ``to`` is linked (empty: the metadata does not tell), ``inverse`` the field there
    that shows the same links.

    ``seen``: a field of ``table`` is computed through it. ``shows``: what it links to is also seen by others, who may show
    the linked record's name while its id is all that a cell here holds.
    """

    table: str
    field: str
    to: str
    inverse: str | None
    seen: bool
    shows: bool


def link_fields(meta: BaseMeta) -> list[LinkField]:
    """Every link field of the base."""
    looked_at = {str(f.options.get("fieldIdInLinkedTable", "")) for _, f in _fields(meta)}
    # One that came without options is known from its other side.
    backwards = {
        str(f.options.get("inverseLinkFieldId")): (t.id, f.id) for t, f in _fields(meta) if f.type == LINK
    }
    found = []
    for table, f in _fields(meta):
        if f.type == LINK:
            to, inverse = _other_side(meta, f) if f.options else backwards.get(f.id, ("", None))
            seen = any(_through(table, f, other) for other in table.fields)
            hiding = [f.id, *(other.id for other in table.fields if _hides(f, other))]
            found.append(LinkField(table.id, f.id, to, inverse, seen, not looked_at.isdisjoint(hiding)))
    return found


def _other_side(meta: BaseMeta, link: FieldMeta) -> tuple[str, str | None]:
    """No inverse, too, where the token cannot see it: its cells then tell nothing."""
    to = str(link.options.get("linkedTableId", ""))
    table = meta.table_by_id(to)
    there = None if table is None else table.field_by_id(str(link.options.get("inverseLinkFieldId", "")))
    return to, None if there is None else there.id


def _fields(meta: BaseMeta) -> Iterator[tuple[TableMeta, FieldMeta]]:
    for table in meta.tables:
        for one in table.fields:
            yield table, one


def _through(table: TableMeta, link: FieldMeta, other: FieldMeta) -> bool:
    """Whether ``other`` may be computed from what ``link`` links to."""
    if other.type in LOOKUPS or other.type == "count":
        via = str(other.options.get("recordLinkFieldId", ""))
        return via == link.id or table.field_by_id(via) is None
    if other.type in FROM_FIELDS:
        named = other.options.get("referencedFieldIds")
        return not isinstance(named, list) or link.id in named
    # Nothing tells what a button, or a type that nobody knows, is made of.
    return other.type not in PLAIN


def _hides(link: FieldMeta, other: FieldMeta) -> bool:
    """Whether ``other`` looks through ``link`` at links again: its cells hold ids, where who sees it may show names."""
    if other.type not in LOOKUPS or other.options.get("recordLinkFieldId") != link.id:
        return False
    result = other.options.get("result")
    return not isinstance(result, dict) or result.get("type") == LINK


def time_fields(meta: BaseMeta) -> dict[str, frozenset[str]]:
    """Ids of the fields that change with time alone, by table: formulas of the present moment, and what sees them.

    What a rollup makes of its values is not told: one of the present moment is not found.
    """
    found = {f.id for _, f in _fields(meta) if f.type in FROM_FIELDS and _of_now(f)}
    while more := {f.id for _, f in _fields(meta) if f.id not in found and found & _made_of(f)}:
        found |= more
    return {table.id: frozenset(f.id for f in table.fields if f.id in found) for table in meta.tables}


def _of_now(formula: FieldMeta) -> bool:
    text = formula.options.get("formula")
    return isinstance(text, str) and _OF_NOW.search(_TEXT.sub("", text)) is not None


def _made_of(one: FieldMeta) -> set[str]:
    named = one.options.get("referencedFieldIds") if one.type in LOOKUPS | FROM_FIELDS else None
    made = {str(field_id) for field_id in named} if isinstance(named, list) else set()
    return made | {str(one.options.get("fieldIdInLinkedTable", ""))}


def named(meta: BaseMeta, fields: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Fields as a person knows them: ``Table: Field``."""
    return tuple(
        f"{table.name}: {f.name}" for table, f in _fields(meta) if f.id in fields.get(table.id, frozenset())
    )


def design_changes(before: BaseMeta, after: BaseMeta) -> list[str]:
    """What changed between two designs of a base, in words. A new option of a select is no change: every record that has
    one was changed by whoever chose it.
    """
    found = [f"table {t.name!r} was deleted" for t in before.tables if after.table_by_id(t.id) is None]
    for table in after.tables:
        known = before.table_by_id(table.id)
        if known is None:
            found.append(f"table {table.name!r} was created")
            continue
        if (known.name, known.primary_field_id) != (table.name, table.primary_field_id):
            found.append(f"table {known.name!r} was renamed or has another primary field")
        found += [
            f"field {f.name!r} of table {known.name!r} was deleted"
            for f in known.fields
            if table.field_by_id(f.id) is None
        ]
        for one in table.fields:
            found += _field_change(known, known.field_by_id(one.id), one)
    return found


def _field_change(table: TableMeta, before: FieldMeta | None, after: FieldMeta) -> list[str]:
    if before is None:
        return [f"field {after.name!r} of table {table.name!r} was created"]
    if before.name != after.name:
        return [f"field {before.name!r} of table {table.name!r} was renamed"]
    if before.type != after.type:
        return [f"field {before.name!r} of table {table.name!r} was given another type"]
    if not _only_more_choices(before.options, after.options):
        return [f"the options of field {before.name!r} of table {table.name!r} were changed"]
    return []


def _only_more_choices(before: Any, after: Any) -> bool:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return bool(before == after)
    if before.keys() != after.keys():
        return False
    return all(
        _choices(before[name]).items() <= _choices(after[name]).items()
        if name == "choices"
        else _only_more_choices(before[name], after[name])
        for name in before
    )


def _choices(listed: Any) -> dict[str, str]:
    return {str(one.get("id")): str(one.get("name")) for one in listed if isinstance(one, dict)}
