"""Build a ledger: run the table modules over an export, check what they made, write it, the manifest last.

What belongs here: the order of these steps. What does not: what becomes of a cell (``tables``), Postgres
(``load``). Nothing is written that does not hold its model; a ledger that was not finished has no manifest
and is not seen.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ledger_assets.ledger import checks
from ledger_assets.ledger.identity import ids_digest, source_hashes
from ledger_assets.ledger.shelf import Shelf
from ledger_assets.ledger.source import Source
from ledger_assets.ledger.store import (
    QUARANTINE,
    REPORTED,
    SKIPPED,
    LedgerCheck,
    LedgerManifest,
    LedgerTable,
    key,
)
from ledger_assets.memory import give_back
from ledger_assets.progress import report
from ledger_assets.tables.fields import Mapped, Rule, TableSpec, Transformed

if TYPE_CHECKING:
    from ledger_assets.extract.attachments import AttachmentInventory
    from ledger_assets.extract.export import Export
    from ledger_assets.extract.metadata import BaseMeta
    from ledger_assets.storage import ObjectStore


def build_ledger(
    store: ObjectStore,
    export: Export,
    *,
    specs: Sequence[TableSpec],
    mappings: Path | None = None,
    inventory: AttachmentInventory | None = None,
    pinned: BaseMeta | None = None,
) -> LedgerManifest:
    """The ledger of ``export``, stored. Raises CheckFailed when rows do not hold their model, SettingsError
    for a faulty mapping file, SourceError when the base lacks a declared table or field."""
    give_back()
    started = datetime.now(UTC)
    ledger_id = f"{started:%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(2)}"
    shelf = Shelf(store, ledger_id)
    source = Source(export, pinned, inventory, mappings, specs=specs, shelf=shelf)
    tables, files, accounted = [], {}, []
    found: dict[str, Transformed] = {}
    for done, spec in enumerate(specs):
        report("ledger", spec.name, done, len(specs))
        made = source.transformed(spec.name)
        rows = _rows(spec, made.rows)
        files[spec.name] = _put(store, ledger_id, spec.name, rows)
        tables.append(_summary(source, spec, made, rows))
        if spec.source is not None:
            accounted.append(checks.accounted(source, spec, made))
        found[spec.name] = replace(made, rows=made.rows.clear())
        source.put_away(spec.name)
        del made, rows
    for name, frame in _findings(found).items():
        files[name] = _put(store, ledger_id, name, frame)
    manifest = LedgerManifest(
        ledger_id=ledger_id,
        export_id=export.export_id,
        base_id=source.base_id,
        started_at=started.isoformat(),
        finished_at=datetime.now(UTC).isoformat(),
        tables=tuple(tables),
        checks=(*accounted, *_symmetric(source, specs)),
        files=files,
        revision=export.manifest.revision,
    )
    shelf.clear()
    store.put(key(ledger_id, "MANIFEST.json"), manifest.to_json(), create=True)
    report("ledger", "complete", len(specs), len(specs))
    return manifest


def _rows(spec: TableSpec, made: pl.DataFrame) -> pl.DataFrame:
    """The model's columns in the model's order, checked, with ``source_hash``."""
    rows = made.select([name for name in spec.model().columns if name in made.columns])
    checks.validate(spec, rows)
    return rows.with_columns(source_hashes(rows))


def _summary(source: Source, spec: TableSpec, made: Transformed, rows: pl.DataFrame) -> LedgerTable:
    whole = made.quarantined.filter(pl.col("field").is_null()).height
    kinds = made.reported.group_by("kind").len().sort("kind")
    return LedgerTable(
        name=spec.name,
        rows=rows.height,
        sha256=ids_digest(rows),
        records=source.read(spec.source).total if spec.source else 0,
        quarantined=whole,
        quarantined_cells=made.quarantined.height - whole,
        skipped=made.skipped.height,
        reported=dict(kinds.iter_rows()),
    )


def _symmetric(source: Source, specs: Sequence[TableSpec]) -> list[LedgerCheck]:
    linked = [s for s in specs if any(isinstance(d, Mapped) and d.rule is Rule.LINK for d in s.declares)]
    return [checks.symmetric(source, specs, spec) for spec in linked]


def _findings(made: Mapping[str, Transformed]) -> dict[str, pl.DataFrame]:
    """The frames of all tables together, each entry with the target table whose module said it."""

    def together(part: Callable[[Transformed], pl.DataFrame]) -> pl.DataFrame:
        frames = [part(one).select(pl.lit(name).alias("table"), pl.all()) for name, one in made.items()]
        return pl.concat(frames)

    return {
        QUARANTINE: together(lambda made: made.quarantined),
        SKIPPED: together(lambda made: made.skipped),
        REPORTED: together(lambda made: made.reported),
    }


def _put(store: ObjectStore, ledger_id: str, name: str, frame: pl.DataFrame) -> str:
    """Store a frame; the SHA-256 of its object."""
    buffer = io.BytesIO()
    # Level 1: the ledger is read back once or twice, and lies on the same disk.
    frame.write_parquet(buffer, compression="zstd", compression_level=1, statistics=False)
    content = buffer.getvalue()
    store.put(key(ledger_id, f"{name}.parquet"), content)
    return hashlib.sha256(content).hexdigest()
