"""Makes the synthetic base: :func:`create_base`. Deterministic from its seed, in flat memory, any size.

``empathy_ledger``: the five tables, in blocks of the real base's size. ``any_base``: every field type and
every oddity, see :mod:`ledger_assets.demo.any_base`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ledger_assets.demo import any_base, schema
from ledger_assets.demo.basefile import SEQ_PER_TABLE, BaseFile, Row, tables_to_json
from ledger_assets.demo.block import make_block
from ledger_assets.demo.cells import Cells, pack
from ledger_assets.demo.derived import derivations, set_derived
from ledger_assets.demo.draft import BLOCK_RECORDS, FULL, Block, iso, to_cells
from ledger_assets.environment import SYNTHETIC_BASE_ID
from ledger_assets.errors import SettingsError

SHAPES = ("empathy_ledger", "any_base")


def create_base(
    path: Path,
    *,
    seed: int = 1,
    scale: int | None = None,
    shape: str = "empathy_ledger",
    base_id: str = SYNTHETIC_BASE_ID,
) -> None:
    """Write a base to the SQLite file ``path``, replacing what is there.

    ``scale``: about so many records; None: the real base's size. Raises :class:`SettingsError` for a shape or
    a scale that it does not know.
    """
    if shape not in SHAPES:
        raise SettingsError(f"shape {shape!r} is not known; use {' or '.join(SHAPES)}")
    if scale is not None and not 1 <= scale <= 1_000_000:
        raise SettingsError(f"--scale: {scale} is not a number of records between 1 and 1000000")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    file = BaseFile(part, create=True)
    try:
        file.set_meta("base_id", base_id)
        file.set_meta("shape", shape)
        file.set_meta("seed", str(seed))
        if shape == "any_base":
            any_base.fill(file, seed=seed, records=scale)
        else:
            _fill(file, seed, scale)
        file.finish()
    finally:
        file.close()
    part.replace(path)


def block_counts(scale: int | None) -> Iterator[dict[str, int]]:
    """The number of records of each table, block by block."""
    left = BLOCK_RECORDS if scale is None else scale
    while left >= BLOCK_RECORDS:
        yield dict(FULL)
        left -= BLOCK_RECORDS
    if left:
        counts = {table: round(count * left / BLOCK_RECORDS) for table, count in FULL.items()}
        counts["Quotes"] += left - sum(counts.values())
        yield counts


def _fill(file: BaseFile, seed: int, scale: int | None) -> None:
    file.set_meta("tables", tables_to_json(schema.TABLES))
    plan = derivations(schema.TABLES)
    field_ids = {
        table.name: {f.name: table.field_id(f.name) for f in table.fields} for table in schema.TABLES
    }
    written = dict.fromkeys(FULL, 0)
    for number, counts in enumerate(block_counts(scale)):
        block = make_block(seed, number, counts, long_texts=scale is None)
        cells: dict[str, Cells] = {}
        by_table: dict[str, list[tuple[str, str, Cells]]] = {}
        for table in schema.TABLES:
            records = by_table.setdefault(table.id, [])
            for draft in block.drafts[table.name]:
                cells[draft.id] = to_cells(draft, table, field_ids[table.name])
                records.append((draft.id, iso(draft.created), cells[draft.id]))
        set_derived(plan, by_table, cells.get)
        _write(file, block, cells, written)
        block.forget()
        file.set_meta("autonumber", str(41 * (number + 1) + 2))


def _write(file: BaseFile, block: Block, cells: dict[str, Cells], written: dict[str, int]) -> None:
    comments = Counter(comment.record_id for comment in block.comments)
    for index, table in enumerate(schema.TABLES):
        drafts = block.drafts[table.name]
        start = index * SEQ_PER_TABLE + written[table.name] + 1
        file.add_records(
            Row(
                start + i,
                d.id,
                iso(d.created),
                iso(d.modified or d.created),
                comments[d.id],
                pack(cells[d.id]),
            )
            for i, d in enumerate(drafts)
        )
        written[table.name] += len(drafts)
    file.add_attachments(block.files)
    file.add_comments(block.comments)
