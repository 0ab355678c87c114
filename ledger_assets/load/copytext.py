"""Polars frames, and single rows, as the text format of COPY.

Text and not CSV: before Postgres 18 a line ``\\.`` inside a quoted CSV cell ends the data, and a story may
hold one. NULL is ``\\N``, which no escaped text can be; the empty text stays empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl
from psycopg import sql

from ledger_assets.errors import TargetError
from ledger_assets.load.ahead import ahead
from ledger_assets.load.sqlfiles import Cursor

SLICE_ROWS = 4_000
"""Few enough that most of a table's text is made while Postgres takes what went before."""
_RAW = ["\\", "\n", "\r", "\t"]
_ESCAPED = ["\\\\", "\\n", "\\r", "\\t"]
_ESCAPES = tuple(zip(_RAW, _ESCAPED, strict=True))
"""Paired once: pairing them for every cell took half of the time of making the raw records' rows."""


def copy_frame(cur: Cursor, table: sql.Composable, frame: pl.DataFrame) -> None:
    """COPY the frame's columns, by name, into ``table``."""
    columns = sql.SQL(", ").join(sql.Identifier(c) for c in frame.columns)
    with cur.copy(sql.SQL("copy {} ({}) from stdin").format(table, columns)) as copy:
        for piece in ahead(copy_text(frame)) if frame.height > SLICE_ROWS else copy_text(frame):
            copy.write(piece)


def copy_text(frame: pl.DataFrame) -> Iterator[bytes]:
    """The frame in pieces of COPY's text format."""
    texts = [_column(name, dtype) for name, dtype in frame.schema.items()]
    for piece in frame.iter_slices(SLICE_ROWS):
        text = piece.select(texts).write_csv(
            separator="\t", quote_style="never", null_value="\\N", include_header=False
        )
        yield text.encode()


def row_text(cells: Iterable[str | bytes | list[str]]) -> str:
    """One row of texts, bytes and lists of texts, none NULL."""
    return "\t".join([_cell(cell) for cell in cells]) + "\n"


def _cell(cell: str | bytes | list[str]) -> str:
    if isinstance(cell, bytes):
        return f"\\\\x{cell.hex()}"
    if isinstance(cell, list):
        if not cell:
            return "{}"
        items = (item.replace("\\", "\\\\").replace('"', '\\"') for item in cell)
        cell = "{" + ",".join(f'"{item}"' for item in items) + "}"
    for raw, escaped in _ESCAPES:  # the backslash first
        if raw in cell:
            cell = cell.replace(raw, escaped)
    return cell


def _column(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.String):
        return column.str.replace_many(_RAW, _ESCAPED)
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.String):
        return _array(column).str.replace_many(_RAW, _ESCAPED).alias(name)
    if isinstance(dtype, pl.Binary):
        return pl.concat_str(pl.lit("\\\\x"), column.bin.encode("hex")).alias(name)
    if isinstance(dtype, pl.Datetime):
        zone = "" if dtype.time_zone is None else "+00"
        utc = column if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
        return utc.dt.strftime(f"%Y-%m-%d %H:%M:%S%.6f{zone}")
    if dtype.is_numeric() or isinstance(dtype, pl.Boolean | pl.Date | pl.Null):
        return column
    raise TargetError(f"column {name} of the ledger is of a type that cannot be loaded ({dtype})")


def _array(column: pl.Expr) -> pl.Expr:
    """A list of texts as the literal of a text array."""
    item = pl.element().str.replace_many(["\\", '"'], ["\\\\", '\\"'])
    quoted = pl.concat_str(pl.lit('"'), item, pl.lit('"')).fill_null("NULL")
    return pl.concat_str(pl.lit("{"), column.list.eval(quoted).list.join(","), pl.lit("}"))
