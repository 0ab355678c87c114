"""Cells to columns, by the named rules of ``fields``, in Polars expressions.

What belongs here: one reading per rule, and :func:`read`, which turns a table's records into rows by its
declarations alone. What does not: links (``links``), files (``media_assets``), the shape of a cell's JSON
(``ledger.shapes``, checked before anything comes here).

Invariants: a cell becomes its value, or is NULL and quarantined with its reason; nothing is cut, rounded or
guessed. The proof has its own SQL for every rule, so the character set and the patterns below are part of the
contract.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from ledger_assets.tables import findings
from ledger_assets.tables.fields import SYSTEM_COLUMNS, Declaration, Mapped, Rule, Transformed

if TYPE_CHECKING:
    from ledger_assets.ledger.source import Source

WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
"""Unicode's White_Space, written out: Python, Rust and Postgres do not agree on it by themselves."""
DATE = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
"""At most microseconds: what Postgres holds. More digits are quarantined, not cut."""
INTEGER = r"^-?[0-9]{1,18}$"


@dataclass(frozen=True)
class Reading:
    """How one declared field is read: its columns, which cells are refused, which only reported."""

    columns: Mapping[str, pl.Expr]
    refused: pl.Expr | None = None
    refusal: str = ""
    unmapped: pl.Expr | None = None


def same(field: str) -> pl.Expr:
    """The text exactly as delivered."""
    return pl.col(field)


def trimmed(field: str) -> pl.Expr:
    """Text without white space around it; NULL when nothing is left."""
    value = pl.col(field).str.strip_chars(WHITE_SPACE)
    return pl.when(value != "").then(value)


def date(field: str) -> pl.Expr:
    """YYYY-MM-DD to a date; anything else NULL."""
    value = pl.col(field)
    parsed = value.str.to_date("%Y-%m-%d", strict=False)
    return pl.when(value.str.contains(DATE) & (parsed.dt.year() > 0)).then(parsed)


def moment(field: str) -> pl.Expr:
    """ISO 8601 with zone to UTC, microseconds kept; anything else NULL."""
    value = pl.col(field)
    parsed = value.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    return pl.when(value.str.contains(TIMESTAMP) & (parsed.dt.year() > 0)).then(parsed)


def integer(field: str) -> pl.Expr:
    """A JSON number's digits to a whole number; fractions, exponents and what 64 bits cannot hold: NULL."""
    value = pl.col(field)
    return pl.when(value.str.contains(INTEGER)).then(value.cast(pl.Int64, strict=False))


def plain(text: str | pl.Expr) -> pl.Expr:
    """Only letters, marks and digits, lower case: text without case, punctuation and white space."""
    value = pl.col(text) if isinstance(text, str) else text
    return value.str.replace_all(r"[^\p{L}\p{M}\p{N}]+", "").str.to_lowercase()


def read(
    source: Source,
    table: str,
    declares: Sequence[Declaration],
    *,
    required: Sequence[str] = (),
    extra: Mapping[str, pl.Expr] | None = None,
) -> Transformed:
    """One row per record of ``table``, every mapped field in its column.

    ``required``: columns without which a record makes no row (the whole record is quarantined). ``extra``:
    further columns, over the cells by their Airtable names; they win over the declared reading of the same
    column.
    """
    mapped = [d for d in declares if isinstance(d, Mapped) and d.table == table and d.rule in READINGS]
    readings = {d.field: READINGS[d.rule](d, source) for d in mapped}
    columns = {name: value for r in readings.values() for name, value in r.columns.items()} | dict(
        extra or {}
    )
    records = source.records(table)
    rows = records.select(*SYSTEM_COLUMNS, **columns)

    fields = {d.column: d.field for d in mapped}
    missing = [
        rows.filter(pl.col(name).is_null()).pipe(findings.refuse, None, f"{fields[name]} has no usable value")
        for name in required
    ]
    whole = findings.quarantined([source.unreadable(table), *missing]).unique(
        "record_id", keep="first", maintain_order=True
    )
    cells = findings.quarantined(
        [
            source.rejected(table).filter(pl.col("field").is_in(list(readings))),
            *(
                records.filter(r.refused).pipe(findings.refuse, field, r.refusal)
                for field, r in readings.items()
                if r.refused is not None
            ),
        ]
    ).join(whole, on="record_id", how="anti", maintain_order="left")
    unmapped = [
        records.filter(r.unmapped).pipe(
            findings.tell, findings.UNMAPPED, field, "the text is in no reviewed mapping file"
        )
        for field, r in readings.items()
        if r.unmapped is not None
    ]
    return Transformed(
        rows=rows.join(
            whole, left_on="airtable_record_id", right_on="record_id", how="anti", maintain_order="left"
        ),
        quarantined=findings.quarantined([whole, cells]),
        skipped=source.skipped(table),
        reported=findings.reported(unmapped),
    )


def _plain_reading(value: Callable[[str], pl.Expr], refusal: str = "") -> Callable[[Mapped, Source], Reading]:
    """A reading into one column; with ``refusal``, a cell that gives no value is refused."""

    def reading(mapped: Mapped, _: Source) -> Reading:
        column = value(mapped.field)
        refused = pl.col(mapped.field).is_not_null() & column.is_null() if refusal else None
        return Reading({mapped.column: column}, refused, refusal)

    return reading


def _option(mapped: Mapped, _: Source) -> Reading:
    value = pl.col(mapped.field).replace_strict(dict(mapped.options), default=None, return_dtype=pl.String)
    return Reading(
        {mapped.column: value},
        pl.col(mapped.field).is_not_null() & value.is_null(),
        "an option that is not declared",
    )


def _reference(mapped: Mapped, source: Source) -> Reading:
    assert mapped.references is not None
    mapping = source.mapping(mapped.references)
    known = mapping.ids(source.base_id)
    text = pl.col(mapped.field)
    return Reading(
        {
            mapped.text_column: text,
            mapped.column: text.replace_strict(known, default=None, return_dtype=pl.String),
        },
        unmapped=text.is_not_null() & ~text.is_in([*known, *mapping.nothing]),
    )


def _flag(field: str) -> pl.Expr:
    return pl.col(field).fill_null(value=False)


READINGS: Mapping[Rule, Callable[[Mapped, Source], Reading]] = {
    Rule.SAME: _plain_reading(same),
    Rule.TEXTS: _plain_reading(same),
    Rule.TRIMMED: _plain_reading(trimmed),
    Rule.CHECKBOX: _plain_reading(_flag),
    Rule.NUMBER: _plain_reading(integer, "not a whole number that 64 bits hold"),
    Rule.DATE: _plain_reading(date, "not a date of the form YYYY-MM-DD"),
    Rule.TIMESTAMP: _plain_reading(moment, "not a point in time with its zone, in microseconds"),
    Rule.OPTION: _option,
    Rule.REFERENCE: _reference,
}
