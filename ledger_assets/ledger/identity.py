"""Ids and hashes of whole columns at once: :func:`ledger_assets.ids.row_id`, and ``source_hash``.

Both are contracts with databases already loaded, so they are made from bytes that no library's version
decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1, sha256

import polars as pl

from ledger_assets.ids import NAMESPACE
from ledger_assets.tables.fields import SYSTEM_COLUMNS

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def row_ids(base_id: str, table: str, parts: pl.DataFrame) -> pl.Series:
    """``ids.row_id(base_id, table, *parts)`` for every row of ``parts`` (texts, none NULL)."""
    head = NAMESPACE.bytes + f"{base_id}\x1f{table}\x1f".encode()
    names = parts.select(pl.concat_str(pl.all(), separator="\x1f").cast(pl.Binary)).to_series().to_list()
    # SHA-1 is what UUIDv5 is defined by; nothing here is a secret.
    digests = pl.Series("id", [sha1(head + name).hexdigest() for name in names], dtype=pl.String)  # noqa: S324 - see above
    digest = pl.col("id").str
    return digests.to_frame().select(
        pl.concat_str(
            digest.slice(0, 8),
            pl.lit("-"),
            digest.slice(8, 4),
            pl.lit("-5"),
            digest.slice(13, 3),
            pl.lit("-"),
            digest.slice(16, 1).replace_strict(_VARIANT),
            digest.slice(17, 3),
            pl.lit("-"),
            digest.slice(20, 12),
        ).alias("id")
    )["id"]


def source_hashes(rows: pl.DataFrame) -> pl.Series:
    """SHA-256 of each row's canonical content: every column of its own that is not NULL, as
    ``name:length:text``.

    Lengths make it unambiguous. The export's id and the system columns are not in it (they follow from the
    id), and a new column that is NULL everywhere changes no hash.
    """
    content = [_canonical(name, rows.schema[name]) for name in rows.columns if name not in SYSTEM_COLUMNS]
    texts = rows.select(pl.concat_str(content).cast(pl.Binary)).to_series().to_list()
    return pl.Series("source_hash", [sha256(text).digest() for text in texts], dtype=pl.Binary)


def ids_digest(rows: pl.DataFrame) -> str:
    """SHA-256 (hex) of a table: of (id, source_hash) in id order."""
    ordered = rows.select("id", pl.col("source_hash").bin.encode("hex")).sort("id")
    lines: Sequence[str] = ordered.select(pl.concat_str(pl.all(), separator=" ")).to_series().to_list()
    return sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _canonical(name: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if dtype == pl.List(pl.String):
        element = pl.element()
        measured = pl.concat_str(element.str.len_bytes().cast(pl.String), pl.lit(":"), element)
        text = value.list.eval(measured).list.join("")
    elif dtype == pl.Date:
        text = value.dt.strftime("%Y-%m-%d")
    elif isinstance(dtype, pl.Datetime):
        text = value.dt.timestamp("us").cast(pl.String)
    elif dtype == pl.Boolean:
        text = pl.when(value).then(pl.lit("true")).when(~value).then(pl.lit("false"))
    else:
        text = value.cast(pl.String)
    measured = pl.concat_str(pl.lit(f"{name}:"), text.str.len_bytes().cast(pl.String), pl.lit(":"), text)
    return measured.fill_null("")
