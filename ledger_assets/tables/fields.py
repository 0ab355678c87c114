"""How a table module declares what becomes of every source field. Declarations only; no data passes here.

Every field of every Airtable table is declared exactly once, over all table modules, as one of the classes
below; a table that no module reads is declared as a whole (``raw_only``). The ledger step does what is declared
(Polars), the proof checks it (SQL, on its own): both read the same declaration, neither calls the other. A field
declared nowhere fails the export's schema check: that is
how drift is noticed.

Tables and fields are named as in Airtable; names are resolved to ids by the pinned metadata, so a rename is
reported and not a loss.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source


class Rule(StrEnum):
    """Named ways from a cell to a column. The proof has its own SQL for each.

    Only SAME keeps the value; the others normalise, which the report counts under the rule's name.
    """

    SAME = "same"
    """The text exactly as delivered."""
    TRIMMED = "trimmed"
    """Text without leading and trailing white space (as Unicode has it); empty becomes NULL."""
    CHECKBOX = "checkbox"
    """true, or false when the cell is absent."""
    NUMBER = "number"
    """JSON number to numeric, every digit kept."""
    DATE = "date"
    """YYYY-MM-DD to date."""
    TIMESTAMP = "timestamp"
    """ISO 8601 with zone to timestamptz, microseconds kept."""
    OPTION = "option"
    """A select's option name to a value by the declared ``options``; an unknown one is quarantined."""
    TEXTS = "texts"
    """A list of texts to text[], order kept."""
    REFERENCE = "reference"
    """Text to a row of ``references`` by the reviewed mapping file; unmapped text is reported, column NULL.
    The text itself is kept as in SAME, in :attr:`Mapped.text_column`."""
    LINK = "link"
    """Links to ``references``, one row each in this link table, order kept in ``position``."""
    FILES = "files"
    """Attachments, one row each in media_assets; ``options["role"]`` is the rows' role, ``references`` the
    table of the record they belong to."""


@dataclass(frozen=True)
class Mapped:
    """The field's cells are in ``column`` of the declaring table's rows, by ``rule``."""

    table: str
    field: str
    column: str
    rule: Rule = Rule.SAME
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    references: str | None = None

    @property
    def text_column(self) -> str:
        """Of a REFERENCE: the column that keeps the text exactly as delivered (``project_id``:
        ``project_text``)."""
        return self.column.removesuffix("_id") + "_text"


class Recompute(StrEnum):
    """How a derived field is recomputed from other cells."""

    LOOKUP = "lookup"
    """The values of ``of`` in the records linked by ``via``, in link order; nulls stay in place."""
    COUNT = "count"
    """The number of links in ``via``."""
    ROLLUP = "rollup"
    """As LOOKUP, compared as a set: Airtable does not report a rollup's aggregation."""
    RECORD_ID = "record_id"
    """A fixed prefix + the record's id."""
    INVERSE = "inverse"
    """The other side of a link declared as LINK elsewhere (table ``of_table``, field ``of``)."""
    CREATED_TIME = "created_time"
    """The record's createdTime."""


@dataclass(frozen=True)
class Derived:
    """The field is computed by Airtable: not stored in a column, recomputed from the raw records and
    compared.

    ``exact`` False: only a report (Airtable's own aggregation is unknown), never a failure.
    """

    table: str
    field: str
    how: Recompute
    via: str | None = None
    of: str | None = None
    of_table: str | None = None
    prefix: str = ""
    exact: bool = True


@dataclass(frozen=True)
class RawOnly:
    """The field stays in the raw records alone, for the reason given.

    ``field`` None: the whole table does, whatever fields it has and will get (:func:`whole_table`).
    """

    table: str
    field: str | None
    reason: str


Declaration = Mapped | Derived | RawOnly


def whole_table(table: str, reason: str) -> RawOnly:
    """The declaration of a table that no module reads. It counts only while nothing else of the table is declared: of
    a table that is mapped, a new field must be noticed."""
    if not reason.strip():
        raise ValueError(f"table {table!r} is declared raw only without a reason")
    return RawOnly(table, None, reason)


def kept_whole(declarations: Iterable[Declaration]) -> dict[str, str]:
    """Tables that are declared raw only as a whole, with the reason."""
    every = list(declarations)
    by_field = {d.table for d in every if d.field is not None}
    return {
        d.table: d.reason
        for d in every
        if isinstance(d, RawOnly) and d.field is None and d.table not in by_field
    }


def lookups(table: str, via: str, fields: Mapping[str, str]) -> tuple[Derived, ...]:
    """Declarations of lookups through one link field: their names, and the field of the linked table they
    show."""
    return tuple(Derived(table, name, Recompute.LOOKUP, via=via, of=of) for name, of in fields.items())


@dataclass(frozen=True)
class Transformed:
    """What became of a table's records.

    ``rows``: the model's columns plus the system columns. ``quarantined``: table_id, record_id, field (NULL:
    the whole record made no row), reason. ``skipped``: table_id, record_id, rule: no row, by a declared rule.
    ``reported``: kind ('unmapped' | 'duplicate' | ...), table_id, record_id, field, reason, for a person to
    decide. No frame but ``rows`` ever holds a cell value.
    """

    rows: pl.DataFrame
    quarantined: pl.DataFrame
    skipped: pl.DataFrame
    reported: pl.DataFrame


@dataclass(frozen=True)
class TableSpec:
    """Everything about one target table."""

    name: str
    """Table in schema public = asset name."""
    source: str | None
    """Airtable table whose records make the rows one by one; None for link tables and derived tables."""
    model: Callable[[], DataFrameSchema]
    """The Pandera model; a function, because importing Pandera doubles the time to import the definitions."""
    declares: tuple[Declaration, ...]
    transform: Callable[[Source], Transformed]
    depends: tuple[str, ...] = ()
    """Airtable tables it reads (asset graph edges)."""
    description: str = ""
    title: str | None = None
    """Column that names a row for a person, never shown outside the database."""


SYSTEM_COLUMNS = ("id", "airtable_base_id", "airtable_table_id", "airtable_record_id", "airtable_created_at")
"""Columns that every ledger frame carries: uuid text; ids text (record id NULL in derived tables; for a link
row, the record that holds the link); UTC timestamp of the record (NULL in derived tables), which decides the
row's month."""
