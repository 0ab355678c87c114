"""Records: the export against the raw records, and the raw records against each target table's rows.

What belongs here: identity, hashes and the equation. What does not: cells (``cells``).

Invariant: nothing is "at least": both sides are compared id by id, and whatever is on one side only is named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from ledger_assets.extract.content import content_sha256
from ledger_assets.extract.export import Export
from ledger_assets.extract.metadata import BaseMeta
from ledger_assets.extract.slices import BadBody
from ledger_assets.proof.delivered import Counted, Delivered
from ledger_assets.proof.model import Equation, Records
from ledger_assets.proof.plan import find_table
from ledger_assets.proof.stage import stage_export
from ledger_assets.proof.statements import named, public, statement
from ledger_assets.proof.verdicts import SAMPLE, Named
from ledger_assets.tables.fields import Mapped, Rule, TableSpec

NO_CONTENT = hashlib.sha256().hexdigest()
"""The content hash of a table without records."""
_UNALTERED = """(r.table_id, r.record_id) not in (
  select table_id, record_id from proof_kept k join proof_export e using (table_id, record_id)
  where k.actual <> e.sha and (table_id, record_id) not in (select table_id, record_id from proof_readdressed))"""
_RAW_LIVE = ("same", "readdressed", "extra", "altered", "hash_stale")
_DECODER = json.JSONDecoder(parse_int=Decimal, parse_float=Decimal)


@dataclass(frozen=True)
class RawJudged:
    """The raw records and comments beside the export's, by table id: records by verdict, the hash of all their texts,
    comments kept and those that differ, records whose columns for queries differ from their text."""

    verdicts: Mapping[str, Mapping[str, Named]]
    contents: Mapping[str, str | None]
    comments: Mapping[str, tuple[int, Named]]
    differ: Mapping[str, Named]


def judge_raw(
    conn: psycopg.Connection,
    base_id: str,
    export: Export,
    reading: Future[Delivered],
    unaltered: Future[dict[str, Named]],
) -> RawJudged:
    """Compare what was kept (``stage.create_kept``) with the export as it is read. ``unaltered``: :func:`fields_differ`
    of all records, which is asked for unless a text was altered."""
    stage_export(conn, reading.result())
    _stage_readdressed(conn, base_id, export)
    comments = {
        table_id: (kept, named(count, ids))
        for table_id, kept, count, ids in conn.execute(statement("comments"), {"base": base_id})
    }
    verdicts: dict[str, dict[str, Named]] = {}
    contents: dict[str, str | None] = {}
    for table_id, verdict, count, ids, content in conn.execute(statement("records")):
        verdicts.setdefault(table_id, {})[verdict] = named(count, ids)
        contents[table_id] = content
    altered = any(found.get("altered") for found in verdicts.values())
    differ = fields_differ(conn, altered=True) if altered else unaltered.result()
    return RawJudged(verdicts, contents, comments, differ)


def prove_records(
    conn: psycopg.Connection,
    base_id: str,
    export: Export,
    counted: Mapping[str, Counted],
    targets: Mapping[str, Sequence[TableSpec]],
    raw: RawJudged,
) -> tuple[Records, ...]:
    """One :class:`Records` per Airtable table; ``targets``: the specs whose rows come from it, by table id."""
    names = {table.id: table.name for table in export.manifest.tables}
    tables = [*names, *sorted({*raw.verdicts, *raw.comments} - set(names))]
    return tuple(
        _records(
            conn,
            base_id,
            export,
            (table_id, names.get(table_id, table_id)),
            counted.get(table_id, Counted()),
            raw,
            targets.get(table_id, ()),
        )
        for table_id in tables
        if table_id in names
        or table_id in raw.comments
        or any(v in raw.verdicts[table_id] for v in _RAW_LIVE)
    )


def _records(
    conn: psycopg.Connection,
    base_id: str,
    export: Export,
    table: tuple[str, str],
    counted: Counted,
    raw: RawJudged,
    specs: Sequence[TableSpec],
) -> Records:
    table_id, name = table
    found = raw.verdicts.get(table_id, {})
    content = raw.contents.get(table_id) or NO_CONTENT
    comments_kept, comments_differ = raw.comments.get(table_id, (0, Named()))
    manifest = next((t for t in export.manifest.tables if t.id == table_id), None)
    return Records(
        table_id=table_id,
        table=name,
        export=counted.records,
        raw=sum(found.get(verdict, Named()).count for verdict in _RAW_LIVE),
        manifest=0 if manifest is None else manifest.records,
        manifest_agrees=manifest is not None and content == manifest.content_sha256,
        missing=found.get("missing", Named()),
        extra=found.get("extra", Named()),
        altered=found.get("altered", Named()),
        deleted_wrongly=found.get("deleted_wrongly", Named()),
        hash_stale=found.get("hash_stale", Named()),
        fields_differ=raw.differ.get(table_id, Named()),
        readdressed=found.get("readdressed", Named()).count,
        comments_export=counted.comments,
        comments_raw=comments_kept,
        comments_differ=comments_differ,
        comments_whole=manifest is None or counted.comment_lines == manifest.comments,
        equations=tuple(_equation(conn, base_id, table_id, spec, counted.records) for spec in specs),
        erased=0 if manifest is None else manifest.erased,
        redacted=0 if manifest is None else len({i for ids in manifest.redacted.values() for i in ids}),
    )


def _stage_readdressed(conn: psycopg.Connection, base_id: str, export: Export) -> None:
    """Find the records whose text differs from the export's in addresses of files alone.

    Judged from the text as it lies in Postgres, not from the hash that the loader put beside it. The export's
    pages are read again, of tables with such records only.
    """
    tables = conn.execute(
        "select distinct table_id from proof_export e join proof_kept k using (table_id, record_id) "
        "where k.actual <> e.sha order by 1"
    ).fetchall()
    for (table_id,) in tables:
        kept = _kept_contents(conn, base_id, table_id)
        with conn.cursor().copy("copy proof_readdressed from stdin") as copy:
            for record in export.records(table_id):
                # As the first of an id is taken, here as everywhere: popped, it is not compared again.
                content = kept.pop(record.id, None)
                if content is not None and content == content_sha256(record.raw):
                    copy.write_row((table_id, record.id))
    conn.execute("analyze proof_readdressed")


def _kept_contents(conn: psycopg.Connection, base_id: str, table_id: str) -> dict[str, bytes | None]:
    """Content hashes of the raw records of one table whose exact text is not the export's."""
    query = """select r.record_id, r.raw
        from proof_export e
        join proof_kept k on k.table_id = e.table_id and k.record_id = e.record_id
        join airtable.records r on r.base_id = %s and r.table_id = k.table_id and r.record_id = k.record_id
        where e.table_id = %s and k.actual <> e.sha"""
    with conn.cursor(name="proof_readdressed") as cursor:
        return {record_id: _content(raw) for record_id, raw in cursor.execute(query, (base_id, table_id))}


def _content(raw: str) -> bytes | None:
    """The content hash; None for a text that is no JSON, which no export ever delivered."""
    try:
        return content_sha256(raw)
    except BadBody:
        return None


def _equation(
    conn: psycopg.Connection, base_id: str, table_id: str, spec: TableSpec, records: int
) -> Equation:
    target = public(spec.name)
    values = {"base": base_id, "table": table_id, "name": spec.name}
    places: dict[str, Named] = {}
    skipped: dict[str, int] = {}
    for place, rule, count, ids in conn.execute(statement("equation").format(target=target), values):
        if place == "skipped":
            skipped[rule] = count
        else:
            places[place] = named(count, ids)
    made_here = conn.execute(
        sql.SQL("select count(*) from {} where airtable_record_id is null").format(target)
    ).fetchone()
    assert made_here is not None
    rows = sum(places.get(place, Named()).count for place in ("row", "created_differs"))
    partial = spec.source is None
    return Equation(
        target=spec.name,
        records=rows if partial else records,
        rows=rows,
        quarantined=0 if partial else places.get("quarantined", Named()).count,
        skipped={} if partial else skipped,
        unaccounted=Named() if partial else places.get("unaccounted", Named()),
        twice=places.get("twice", Named()),
        extra=places.get("extra", Named()),
        deleted_wrongly=Named() if partial else places.get("deleted_wrongly", Named()),
        created_differs=places.get("created_differs", Named()),
        made_here=made_here[0],
        partial=partial,
    )


def targets_by_table(
    meta: BaseMeta, pinned: BaseMeta, specs: Sequence[TableSpec]
) -> dict[str, list[TableSpec]]:
    """Specs by the id of the Airtable table whose records make their rows, one by one or in part.

    Rows of link and media tables are judged with their cells (``parts``); tables derived from text have no
    records.
    """
    found: dict[str, list[TableSpec]] = {}
    for spec in specs:
        parts = (
            d.table for d in spec.declares if isinstance(d, Mapped) and d.rule not in {Rule.LINK, Rule.FILES}
        )
        for name in dict.fromkeys(parts) if spec.source is None else (spec.source,):
            table = find_table(meta, pinned, name)
            if table is not None:
                found.setdefault(table.id, []).append(spec)
    return found


def fields_differ(conn: psycopg.Connection, *, altered: bool = False) -> dict[str, Named]:
    """Records whose columns for queries do not say what their exact text says; ``altered``: leave out those whose text
    is not the export's, which need not be JSON at all.

    In SQL for all records whose text Postgres can cast; one by one for those with lossy fields, and for all
    when a text cannot be cast although its record claims so.
    """
    trusted = sql.SQL(_UNALTERED if altered else "true")
    condition: sql.Composable
    try:
        with conn.transaction():
            rows = conn.execute(statement("fields_differ").format(trusted=trusted)).fetchall()
        found = {table_id: named(count, ids) for table_id, count, ids in rows}
        condition = sql.SQL("lossy <> '{{}}' and {}").format(trusted)
    except psycopg.DataError:
        found, condition = {}, trusted
    for table_id, ids in _fields_differ_by_one(conn, condition).items():
        before = found.get(table_id, Named())
        found[table_id] = named(before.count + len(ids), [*before.ids, *ids][:SAMPLE])
    return found


def _fields_differ_by_one(conn: psycopg.Connection, condition: sql.Composable) -> dict[str, list[str]]:
    query = sql.SQL("select table_id, record_id, raw, fields::text, lossy from proof_raw r where {}").format(
        condition
    )
    found: dict[str, list[str]] = {}
    with conn.cursor(name="proof_lossy") as cursor:
        for table_id, record_id, raw, fields, lossy in cursor.execute(query):
            if not _says_the_same(record_id, raw, fields, lossy):
                found.setdefault(table_id, []).append(record_id)
    return found


def _says_the_same(record_id: str, raw: str, fields: str, lossy: Sequence[str]) -> bool:
    try:
        delivered: dict[str, Any] = _DECODER.decode(raw)
    except ValueError:
        return False
    kept: dict[str, Any] = _DECODER.decode(fields)
    exact = {name: value for name, value in delivered["fields"].items() if name not in lossy}
    return delivered["id"] == record_id and exact == {n: v for n, v in kept.items() if n not in lossy}
