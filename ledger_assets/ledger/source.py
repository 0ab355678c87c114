"""An export, as the table modules read it: every declared cell once, by table and field name, in Polars
columns.

What belongs here: reading pages, resolving names to ids, blank records, and handing transforms what others
made. What does not: what becomes of a cell (``tables``), writing anything (``build``).

Invariants: names are resolved by the pinned metadata first, then by the export's own, so that a renamed field
is read on; the cells of a record stand in one row; each record id counts once. Parsed pages are turned into
columns at once; with a shelf, memory holds the declared cells and the rows of the large table used last, not of all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ledger_assets.errors import SourceError
from ledger_assets.extract.metadata import BaseMeta, TableMeta
from ledger_assets.ledger.identity import row_ids
from ledger_assets.ledger.shapes import DTYPES, SHAPES, Number, Shape, column
from ledger_assets.tables import cells, findings
from ledger_assets.tables.fields import Derived, Mapped, Recompute, Rule, TableSpec, Transformed
from ledger_assets.tables.mapping import Mapping, load_mapping

if TYPE_CHECKING:
    from ledger_assets.extract.attachments import AttachmentInventory
    from ledger_assets.extract.export import Export
    from ledger_assets.ledger.shelf import Shelf

COMPUTED_TYPES = frozenset({
    "formula", "rollup", "count", "multipleLookupValues", "createdTime", "lastModifiedTime", "createdBy",
    "lastModifiedBy", "autoNumber", "button",
})  # fmt: skip
"""Field types that Airtable fills by itself, in a blank record too."""
BLANK = "blank record"
"""The one rule by which a record makes no row without being quarantined: no cell that a person filled."""
CHUNK = 2_000
_decode = json.JSONDecoder(parse_int=Number, parse_float=Number).decode


@dataclass(frozen=True)
class Read:
    """One Airtable table as read: its records with their cells, and what of it cannot be."""

    records: pl.DataFrame
    rejected: pl.DataFrame
    skipped: pl.DataFrame
    total: int


@dataclass
class _Chunk:
    """Parsed records on their way to columns."""

    ids: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    fields: list[dict[str, Any]] = field(default_factory=list)


class Source:
    """The cells of one export for the given table modules."""

    def __init__(
        self,
        export: Export,
        pinned: BaseMeta | None = None,
        inventory: AttachmentInventory | None = None,
        mappings: Path | None = None,
        *,
        specs: Sequence[TableSpec],
        shelf: Shelf | None = None,
    ) -> None:
        self._export = export
        self._pinned = pinned if pinned is not None and pinned.base_id == export.manifest.base_id else None
        self._inventory = inventory
        self._mappings = mappings
        self._specs = {spec.name: spec for spec in specs}
        self._read: dict[str, Read] = {}
        self._made: dict[str, Transformed] = {}
        self._shelf = shelf
        self._mapping: dict[str, Mapping] = {}
        self.base_id = export.manifest.base_id

    def records(self, table: str) -> pl.DataFrame:
        """The system columns and one column per declared field (its Airtable name) of all records that are
        not blank, in Airtable's order."""
        return self.read(table).records

    def rejected(self, table: str) -> pl.DataFrame:
        """Quarantine entries of the cells whose JSON has not the declared shape; they are NULL in
        ``records``."""
        return self._known(table).rejected

    def skipped(self, table: str) -> pl.DataFrame:
        """The blank records."""
        return self._known(table).skipped

    def unreadable(self, table: str) -> pl.DataFrame:
        """Quarantine entries of the records whose createdTime cannot be read: no row, no month."""
        unreadable = self.records(table).filter(pl.col("airtable_created_at").is_null())
        return findings.refuse(unreadable, None, "createdTime is not a point in time with its zone")

    def transformed(self, name: str) -> Transformed:
        """What the module of target table ``name`` makes; made once, on first use."""
        if name not in self._made:
            self._made[name] = self._specs[name].transform(self)
        rows = f"rows of {name}"
        if self._shelf is None or rows not in self._shelf:
            return self._made[name]
        return replace(self._made[name], rows=self._shelf.get(rows))

    def put_away(self, name: str) -> None:
        """The rows of target table ``name`` are written: only who refers to them needs them again."""
        made = self._made[name]
        if self._shelf is not None and self._shelf.put(f"rows of {name}", made.rows):
            self._made[name] = replace(made, rows=made.rows.clear())

    def mapping(self, name: str) -> Mapping:
        """The reviewed mapping file of derived table ``name``."""
        if name not in self._mapping:
            self._mapping[name] = load_mapping(self._mappings, name)
        return self._mapping[name]

    def texts(self, name: str) -> set[str]:
        """Every text of the export that a module declares as a reference to derived table ``name``."""
        found: set[str] = set()
        for declared in self._declared():
            if declared.rule is Rule.REFERENCE and declared.references == name:
                found.update(self.records(declared.table)[declared.field].drop_nulls().unique().to_list())
        return found

    def ids(self, name: str, rows: pl.DataFrame, *parts: str) -> pl.Series:
        """Ids of rows of target table ``name`` that are no record's own, by the columns ``parts``."""
        return row_ids(self.base_id, name, rows.select(parts))

    @cached_property
    def inventory(self) -> pl.DataFrame:
        """The files as the attachments step found them, by record, field and attachment id."""
        entries = () if self._inventory is None else self._inventory.entries
        return pl.DataFrame(
            [(e.record_id, e.field_id, e.attachment_id, e.sha256, e.object_key) for e in entries],
            schema=dict.fromkeys(
                ("airtable_record_id", "field_id", "attachment_id", "sha256", "object_key"), pl.String
            ),
            orient="row",
        ).unique(["airtable_record_id", "field_id", "attachment_id"], keep="first")

    def table(self, name: str) -> TableMeta:
        """The export's metadata of the table that the modules call ``name``. Raises SourceError."""
        pinned = self._pinned.table(name) if self._pinned else None
        live = self._export.metadata
        found = (live.table_by_id(pinned.id) if pinned else None) or live.table(name)
        if found is None:
            raise SourceError(
                f"export {self._export.export_id}: the base has no table {name}, which the table modules "
                "read; if it was renamed, name it so in ledger_assets/tables"
            )
        return found

    def field_id(self, table: str, name: str) -> str:
        """Id of the field that the modules call ``name``. Raises SourceError."""
        pinned = self._pinned.table(table) if self._pinned else None
        known = pinned.field(name) if pinned else None
        live = self.table(table)
        found = (live.field_by_id(known.id) if known else None) or live.field(name)
        if found is None:
            raise SourceError(
                f"export {self._export.export_id}: table {table} has no field {name}, which is declared in "
                "ledger_assets/tables; declare what became of it there"
            )
        return found.id

    def read(self, name: str) -> Read:
        """Table ``name``, read on first use."""
        read = self._known(name)
        cells = f"cells of {name}"
        if self._shelf is None or cells not in self._shelf:
            return read
        return replace(read, records=self._shelf.get(cells))

    def _known(self, name: str) -> Read:
        """Table ``name``, read on first use; without its records when they are on the shelf."""
        if name not in self._read:
            read = self._read_table(self.table(name), self._wanted(name))
            if self._shelf is not None and self._shelf.put(f"cells of {name}", read.records):
                read = replace(read, records=read.records.clear())
            self._read[name] = read
        return self._read[name]

    def _declared(self) -> Iterable[Mapped]:
        return (d for spec in self._specs.values() for d in spec.declares if isinstance(d, Mapped))

    def _wanted(self, table: str) -> dict[str, tuple[str, Shape]]:
        """Name of every field to read, with its id and shape: the mapped ones, and the other sides of
        links."""
        shapes = {d.field: SHAPES[d.rule] for d in self._declared() if d.table == table}
        for spec in self._specs.values():
            for d in spec.declares:
                if isinstance(d, Derived) and d.how is Recompute.INVERSE and d.table == table:
                    shapes[d.field] = Shape.LINKS
        return {name: (self.field_id(table, name), shape) for name, shape in shapes.items()}

    def _read_table(self, meta: TableMeta, wanted: dict[str, tuple[str, Shape]]) -> Read:
        computed = {f.id for f in meta.fields if f.type in COMPUTED_TYPES}
        seen: set[str] = set()
        blank: list[str] = []
        chunk = _Chunk()
        frames = [_empty(wanted)]
        rejected: list[tuple[str, str, str, str]] = []
        for page in self._export.pages(meta.id):
            for line in page:
                record = _decode(line)
                if record["id"] in seen:
                    continue
                seen.add(record["id"])
                if _is_blank(record["fields"], computed):
                    blank.append(record["id"])
                    continue
                chunk.ids.append(record["id"])
                chunk.created.append(record["createdTime"])
                chunk.fields.append(record["fields"])
            if len(chunk.ids) >= CHUNK:
                frames.append(_columns(chunk, wanted, meta.id, rejected))
                chunk = _Chunk()
        frames.append(_columns(chunk, wanted, meta.id, rejected))
        cellular = pl.concat(frames)
        records = cellular.select(
            row_ids(self.base_id, meta.id, cellular.select("airtable_record_id")).alias("id"),
            pl.lit(self.base_id).alias("airtable_base_id"),
            pl.lit(meta.id).alias("airtable_table_id"),
            "airtable_record_id",
            cells.moment("airtable_created_at").alias("airtable_created_at"),
            *wanted,
        )
        return Read(
            records=records,
            rejected=pl.DataFrame(rejected, schema=findings.QUARANTINED, orient="row"),
            skipped=pl.DataFrame([(meta.id, i, BLANK) for i in blank], schema=findings.SKIPPED, orient="row"),
            total=len(seen),
        )


def _is_blank(fields: dict[str, Any], computed: set[str]) -> bool:
    return all(value is None or name in computed for name, value in fields.items())


def _empty(wanted: dict[str, tuple[str, Shape]]) -> pl.DataFrame:
    system = dict.fromkeys(("airtable_record_id", "airtable_created_at"), pl.String)
    return pl.DataFrame(schema=system | {name: DTYPES[shape] for name, (_, shape) in wanted.items()})


def _columns(
    chunk: _Chunk,
    wanted: dict[str, tuple[str, Shape]],
    table_id: str,
    rejected: list[tuple[str, str, str, str]],
) -> pl.DataFrame:
    """The chunk's declared cells as columns; what has not its shape is added to ``rejected``."""
    made = [
        pl.Series("airtable_record_id", chunk.ids, dtype=pl.String),
        pl.Series("airtable_created_at", chunk.created, dtype=pl.String),
    ]
    for name, (field_id, shape) in wanted.items():
        series, refusals = column(name, [fields.get(field_id) for fields in chunk.fields], shape)
        made.append(series)
        rejected.extend((table_id, chunk.ids[i], name, reason) for i, reason in refusals)
    return pl.DataFrame(made)
