"""Loads of single months: what to do with rows that refer to rows which are not loaded yet.

A link row, and any row whose reference is required, is left out and reported. A record's own row is loaded
without the reference and with another source hash, so that a later load knows that the row is not yet what it
should be. Full loads never come here: there a reference to nothing is a failed check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from ledger_assets.load.columns import Reference, Target


def settle(
    frames: Mapping[str, pl.DataFrame],
    targets: Mapping[str, Target],
    loaded: Mapping[str, pl.Series],
    link_tables: Collection[str],
) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """The frames that can be loaded, and what was left out of each.

    ``loaded``: ids that the database has, by table. Leaving a row out may leave another without its other
    end, so it is repeated until nothing changes.
    """
    kept = dict(frames)
    while True:
        smaller = {name: _without_dangling(kept, targets[name], loaded, name in link_tables) for name in kept}
        if all(smaller[name].height == kept[name].height for name in kept):
            break
        kept = smaller
    left_out = {n: frames[n].join(kept[n].select("id"), on="id", how="anti") for n in frames}
    return {n: _without_optional(kept, targets[n], loaded) for n in kept}, left_out


def _without_dangling(
    frames: Mapping[str, pl.DataFrame], target: Target, loaded: Mapping[str, pl.Series], link: bool
) -> pl.DataFrame:
    frame = frames[target.name]
    for reference in target.references:
        if reference.required or link:
            frame = frame.filter(~_dangles(frames, loaded, frame, reference))
    return frame


def _without_optional(
    frames: Mapping[str, pl.DataFrame], target: Target, loaded: Mapping[str, pl.Series]
) -> pl.DataFrame:
    frame = frames[target.name]
    dangling = {r.column: _dangles(frames, loaded, frame, r) for r in target.references}
    columns = [c for c, rows in dangling.items() if rows.any()]
    if not columns:
        return frame
    partial = frame.select(pl.any_horizontal(dangling[c] for c in columns)).to_series()
    return frame.with_columns(
        *(pl.when(dangling[c]).then(None).otherwise(pl.col(c)).alias(c) for c in columns),
        source_hash=_marked(
            frame["source_hash"], partial.to_list(), [dangling[c].to_list() for c in columns]
        ),
    )


def _dangles(
    frames: Mapping[str, pl.DataFrame],
    loaded: Mapping[str, pl.Series],
    frame: pl.DataFrame,
    reference: Reference,
) -> pl.Series:
    if reference.column not in frame.columns:
        return pl.Series([False]).new_from_index(0, frame.height)
    column = frame[reference.column]
    there = column.is_in(loaded[reference.table].implode())
    if reference.table in frames:
        there = there | column.is_in(frames[reference.table]["id"].implode())
    return column.is_not_null() & ~there.fill_null(value=False)


def _marked(hashes: pl.Series, partial: Sequence[bool], missing: Sequence[Sequence[bool]]) -> pl.Series:
    """Hashes of partial rows, different for each set of missing references."""
    marked = [
        hashlib.sha256(value + bytes(column[row] for column in missing)).digest() if partial[row] else value
        for row, value in enumerate(hashes)
    ]
    return pl.Series("source_hash", marked, dtype=pl.Binary)
