"""Drift: what the base has and the table modules do not know, and the other way round.

What belongs here: comparing names, ids and types. What does not: records. A field is followed by its id, so a
rename is reported as one and loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ledger_assets.extract.metadata import BaseMeta, FieldMeta, TableMeta
from ledger_assets.tables.fields import kept_whole

if TYPE_CHECKING:
    from ledger_assets.tables.fields import TableSpec


class DriftKind(StrEnum):
    """What has drifted."""

    UNDECLARED = "undeclared"
    """In the base, declared by no table module: nobody has decided what becomes of it."""
    MISSING = "missing"
    """Declared (or pinned), and no longer in the base."""
    RENAMED = "renamed"
    """The same id under another name than the pinned one."""
    RETYPED = "retyped"
    """The same id with another type, result or linked table than the pinned one."""


REMEDY = {
    DriftKind.UNDECLARED: "declare it in ledger_assets/tables (RawOnly is enough; a whole table: raw_only.py)",
    DriftKind.MISSING: "put it back in Airtable, or take its declaration away",
    DriftKind.RENAMED: "nothing need be done, it is followed by its id",
    DriftKind.RETYPED: "look at what its cells hold now, then: ledger-assets inventory ENV --accept",
}
"""What to do about each kind of drift."""


@dataclass(frozen=True)
class Drift:
    """One difference; ``field`` None: the whole table. ``detail`` is one line for a person."""

    kind: DriftKind
    table: str
    field: str | None
    detail: str

    @property
    def of_a_missing_table(self) -> bool:
        """True when a whole table is no longer there."""
        return self.kind is DriftKind.MISSING and self.field is None

    def remedy(self, environment: str) -> str:
        """What to do about it."""
        return REMEDY[self.kind].replace(" ENV", f" {environment}")


def undeclared(meta: BaseMeta, specs: Iterable[TableSpec], pinned: BaseMeta | None = None) -> list[Drift]:
    """How the base differs from what the table modules declare and from the pinned metadata.

    Without table modules (profile ``any_base``) only the pinned metadata counts: everything is kept raw
    anyway.
    """
    declarations = [declaration for spec in specs for declaration in spec.declares]
    declared: dict[str, set[str]] = {}
    for declaration in declarations:
        if declaration.field is not None:
            declared.setdefault(declaration.table, set()).add(declaration.field)
    drifts = (
        list(_against_pinned(meta, pinned)) if pinned is not None and pinned.base_id == meta.base_id else []
    )
    whole = kept_whole(declarations)
    if declarations:
        drifts.extend(_against_declared(meta, declared, whole, pinned))
    return list(dict.fromkeys(drifts))


def _against_declared(
    meta: BaseMeta, declared: Mapping[str, set[str]], whole: Iterable[str], pinned: BaseMeta | None
) -> Iterator[Drift]:
    raw_only: set[str] = set()
    for table_name in whole:
        table = _table(meta, table_name, pinned)
        if table is None:
            yield _missing_table(table_name)
        else:
            raw_only.add(table.id)
    known: dict[str, set[str]] = {}
    for table_name, fields in declared.items():
        table = _table(meta, table_name, pinned)
        if table is None:
            yield _missing_table(table_name)
            continue
        known.setdefault(table.id, set())
        before = pinned.table_by_id(table.id) if pinned is not None else None
        for field_name in sorted(fields):
            field = _field(table, field_name, before)
            if field is None:
                yield _missing_field(table_name, field_name)
            else:
                known[table.id].add(field.id)
    for table in meta.tables:
        if table.id in raw_only:
            continue
        if table.id not in known:
            yield Drift(
                DriftKind.UNDECLARED, table.name, None, f"table {table.name!r} is declared by no table module"
            )
            continue
        for field in table.fields:
            if field.id not in known[table.id]:
                what = f"field {field.name!r} ({field.type}) of {table.name!r} is declared by no table module"
                yield Drift(DriftKind.UNDECLARED, table.name, field.name, what)


def _against_pinned(meta: BaseMeta, pinned: BaseMeta) -> Iterator[Drift]:
    for before in pinned.tables:
        table = meta.table_by_id(before.id)
        if table is None:
            yield _missing_table(before.name)
            continue
        if table.name != before.name:
            yield Drift(
                DriftKind.RENAMED, table.name, None, f"table {before.name!r} is now called {table.name!r}"
            )
        for old in before.fields:
            yield from _field_drift(table, old, table.field_by_id(old.id), before.name)


def _field_drift(table: TableMeta, old: FieldMeta, new: FieldMeta | None, table_name: str) -> Iterator[Drift]:
    if new is None:
        yield _missing_field(table_name, old.name)
        return
    if new.name != old.name:
        what = f"field {old.name!r} of table {table.name!r} is now called {new.name!r}"
        yield Drift(DriftKind.RENAMED, table.name, new.name, what)
    if _kind(new) != _kind(old):
        what = f"field {new.name!r} of table {table.name!r} was {_said(old)} and is {_said(new)}"
        yield Drift(DriftKind.RETYPED, table.name, new.name, what)


def _table(meta: BaseMeta, name: str, pinned: BaseMeta | None) -> TableMeta | None:
    """The table that was pinned under this name, whatever it is called now; else the one of this name."""
    before = pinned.table(name) if pinned is not None else None
    return (meta.table_by_id(before.id) if before is not None else None) or meta.table(name)


def _field(table: TableMeta, name: str, before: TableMeta | None) -> FieldMeta | None:
    old = before.field(name) if before is not None else None
    return (table.field_by_id(old.id) if old is not None else None) or table.field(name)


def _missing_table(name: str) -> Drift:
    return Drift(
        DriftKind.MISSING, name, None, f"table {name!r} is not in the base, or the token may not see it"
    )


def _missing_field(table: str, name: str) -> Drift:
    return Drift(DriftKind.MISSING, table, name, f"field {name!r} of table {table!r} is not in the base")


def _kind(field: FieldMeta) -> tuple[str, str, str]:
    """What decides the shape of the field's cells: its type, a result's type, a link's other table."""
    result = field.options.get("result")
    result_type = str(result.get("type", "")) if isinstance(result, Mapping) else ""
    return field.type, result_type, str(field.options.get("linkedTableId", ""))


def _said(field: FieldMeta) -> str:
    return " of ".join(part for part in _kind(field) if part)
