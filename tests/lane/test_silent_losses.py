"""How other tools lose data without a word (L1-L19 of reference/airtable.md): here each is kept, and proven.

Each loss is judged twice. First the base is made so that the loss could happen, migrated, and Postgres must hold
what would have been lost. Then the loss is done in Postgres as the other tool would have done it, and the proof must
fail and name that very record and field.

All losses are done at once, to different records: one migration and one proof judge them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pyairtable import Api

from ledger_assets import connections, reports
from ledger_assets.demo import any_schema, schema
from ledger_assets.demo.base import create_base
from ledger_assets.demo.basefile import BaseFile, Comment, Row
from ledger_assets.demo.cells import Cells, encode, pack, unpack
from ledger_assets.demo.derived import derivations, set_derived
from ledger_assets.demo.model import Table
from ledger_assets.demo.postgres import Cluster
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Environment, read_settings
from ledger_assets.extract.attachments import download_attachments
from ledger_assets.extract.export import Export, latest_export
from ledger_assets.extract.run import export_base
from ledger_assets.load.connect import connect
from ledger_assets.load.load import load
from ledger_assets.proof.reconcile import reconcile
from ledger_assets.proof.report import document
from ledger_assets.storage import ObjectStore, open_store

from .conftest import Lane, facts
from .worlds import database, open_lane, set_environ

MORE_THEMES, MORE_QUOTES = 1001, 150
LONG = "A title that is longer than any sample " * 5
MODIFIED = "2025-03-04T05:06:07.123Z"
CREATED = "2024-12-24T01:02:03.000Z"
NUMBER = {table.name: number for number, table in enumerate(schema.TABLES)}
OPTIONS = ["Hope", "hope", "Work, and rest"]


@dataclass(frozen=True)
class Loss:
    """One loss: ``kept`` (a query) says true when it did not happen, ``plant`` (a statement) does it, and then the
    ``check`` of ``table`` must name ``record`` (or the number of records) under ``words``."""

    kept: str
    plant: str
    table: str
    check: str
    words: str
    record: str | int


ROW = "from public.{} where airtable_record_id = "
WITHOUT = (
    "update airtable.records r set raw = n.raw, fields = r.fields - n.field, sha256 = sha256(convert_to(n.raw, 'UTF8'))"
    " from (select record_id, {field} as field, replace(raw, {cell}, '') as raw from airtable.records) n"
    " where n.record_id = r.record_id and r.record_id = {record}"
)
"""A cell left out of the text itself, as a tool that never kept it would have it."""


def field_id(table: Table, name: str) -> str:
    return table.field_id(name)


ROLLUP = field_id(schema.STORIES, "Quotes Rollup")
ERROR = '{"error":"#ERROR!"}'

LOSSES = {
    "L1 a record with no filled cell": Loss(
        "select fields = '{}' and raw like '%%\"fields\":{}}' from airtable.records where record_id = %(blank)s",
        "delete from airtable.records where record_id = %(blank)s",
        "Quotes", "records", "not in the raw records", "blank",
    ),
    "L2 an error cell": Loss(
        f"select fields -> '{ROLLUP}' = '{ERROR}' from airtable.records where record_id = %(story)s",
        WITHOUT.format(field=f"'{ROLLUP}'", cell=f"""',"{ROLLUP}":{ERROR}'""", record="%(story)s"),
        "Stories", "records", "text altered", "story",
    ),
    "L3 what comes after a lost offset": Loss(
        "select count(*) = 150 from airtable.records where record_id like 'recQuote%%' and source_deleted_at is null",
        "delete from airtable.records where record_id >= 'recQuote000000100' and record_id <= 'recQuote000000149'",
        "Quotes", "records", "not in the raw records", 51,
    ),
    "L4 what comes after 1,000 records": Loss(
        "select count(*) > 1100 from airtable.records where table_id = %(themes)s",
        "delete from airtable.records where record_id >= 'recTheme000000900' and record_id <= 'recTheme000001000'",
        "Themes", "records", "not in the raw records", 101,
    ),
    "L5 the second link of a field": Loss(
        f"select count(*) = 2 {ROW.format('authorship')}%(coauthored)s and source_deleted_at is null",
        "delete from public.authorship where airtable_record_id = %(coauthored)s and position > 1",
        "Stories", "links", "Storytellers -> authorship: missing", "coauthored",
    ),
    "L6 a value of the wrong shape made NULL": Loss(
        "select count(*) = 1 from migration.findings where record_id = %(media)s and field = 'Created At'"
        " and kind = 'quarantine' and status = 'open'",
        "delete from migration.findings where record_id = %(media)s and field = 'Created At'",
        "Media", "cells", "Created At: missing in interviews.recorded_on", "media",
    ),
    "L7 one column for two fields": Loss(
        f"select preferred_name = 'Preferred' and role = 'Another' {ROW.format('storytellers')}%(teller)s",
        "update public.storytellers set preferred_name = role where airtable_record_id = %(teller)s",
        "Storytellers", "cells", "Preferred Name: different in storytellers.preferred_name", "teller",
    ),
    "L10 time zone and milliseconds": Loss(
        f"select airtable_modified_at = '{MODIFIED}' {ROW.format('stories')}%(story)s",
        "update public.stories set airtable_modified_at = date_trunc('second', airtable_modified_at)"
        " where airtable_record_id = %(story)s",
        "Stories", "cells", "Airtable: Last modified time: different in stories.airtable_modified_at", "story",
    ),
    "L12 createdTime": Loss(
        f"select airtable_created_at = '2024-12-24T01:02:03Z' {ROW.format('quotes')}%(quote)s",
        "update public.quotes set airtable_created_at = now() where airtable_record_id = %(quote)s",
        "Quotes", "records", "quotes: created time differs", "quote",
    ),
    "L13 a deleted record that stays": Loss(
        f"select source_deleted_at is not null {ROW.format('quotes')}%(deleted)s",
        "update public.quotes set source_deleted_at = null where airtable_record_id = %(deleted)s",
        "Quotes", "records", "quotes: rows of no record of the export", "deleted",
    ),
    "L14 an update of an old record": Loss(
        f"select bio = 'a new one' {ROW.format('storytellers')}%(updated)s",
        "update public.storytellers set bio = 'an old one' where airtable_record_id = %(updated)s",
        "Storytellers", "cells", "Bio: different in storytellers.bio", "updated",
    ),
    "L15 an emptied cell": Loss(
        f"select bio is null {ROW.format('storytellers')}%(emptied)s",
        "update public.storytellers set bio = 'an old one' where airtable_record_id = %(emptied)s",
        "Storytellers", "cells", "Bio: extra in storytellers.bio", "emptied",
    ),
    "L15 an un-ticked box": Loss(
        f"select not done {ROW.format('storytellers')}%(emptied)s",
        "update public.storytellers set done = true where airtable_record_id = %(emptied)s",
        "Storytellers", "cells", "Done: extra in storytellers.done", "emptied",
    ),
    "L16 options with a comma, or in other case": Loss(
        f"select website_themes = array['Hope', 'hope', 'Work, and rest'] {ROW.format('storytellers')}%(teller)s",
        "update public.storytellers set website_themes = array['Hope', 'Hope', 'Work. and rest']"
        " where airtable_record_id = %(teller)s",
        "Storytellers", "cells", "Website themes: different in storytellers.website_themes", "teller",
    ),
    "L17 comments": Loss(
        "select raw like '%%somebody asked%%' from airtable.comments where comment_id = 'comOfATest00000001'",
        "delete from airtable.comments where comment_id = 'comOfATest00000001'",
        "Quotes", "records", "comments in the export", 1,
    ),
    "L19 a text longer than the samples": Loss(
        f"select title = btrim('{LONG}') {ROW.format('stories')}%(story)s",
        "update public.stories set title = left(title, 150) where airtable_record_id = %(story)s",
        "Stories", "cells", "Title: different in stories.title", "story",
    ),
}  # fmt: skip

MOMENT = field_id(any_schema.EVERYTHING, "Moment")
CODE = field_id(any_schema.EVERYTHING, "Code")
OPEN = field_id(any_schema.EVERYTHING, "Open")
SUMMARY = field_id(any_schema.EVERYTHING, "Machine summary")
QUANTUM = field_id(any_schema.EVERYTHING, "Quantum")
AMOUNT = field_id(any_schema.EVERYTHING, "Amount")
PARENT = field_id(any_schema.TREE, "Parent")
ALIKE = [
    field_id(any_schema.PEOPLE, name) for name in ("A b", "a_b", "a b ", "linked_items", "# linked items")
]

OF_ANY_BASE = {
    "L6 numbers cut to what a machine's integer or float holds": Loss(
        f"select raw like '%%\"{AMOUNT}\":9007199254740993,%%' and (fields ->> '{AMOUNT}')::numeric = 9007199254740993"
        " from airtable.records where record_id = %(everything)s",
        f"update airtable.records set fields = jsonb_set(fields, '{{{AMOUNT}}}', '9007199254740992')"
        " where record_id = %(everything)s",
        "Everything", "records", "columns do not say what the text says", "everything",
    ),
    "L7 names that fall together": Loss(
        f"select fields ?& array{ALIKE} from airtable.records where record_id = %(alike)s",
        f"update airtable.records set fields = fields - '{ALIKE[1]}' where record_id = %(alike)s",
        "People", "records", "columns do not say what the text says", "alike",
    ),
    "L8 a barcode, a button, a machine's text": Loss(
        f"select count(*) > 50 from airtable.records where table_id = %(table)s and jsonb_typeof(fields -> '{CODE}') ||"
        f" jsonb_typeof(fields -> '{OPEN}') || jsonb_typeof(fields -> '{SUMMARY}') = 'objectobjectobject'",
        "delete from airtable.records where table_id = %(table)s and record_id <> %(everything)s",
        "Everything", "records", "not in the raw records", "first",
    ),
    "L9 a type that the tool does not know": Loss(
        f"select fields ?& array['{MOMENT}', '{QUANTUM}'] from airtable.records where record_id = %(everything)s",
        f"update airtable.records set fields = fields - '{MOMENT}' - '{QUANTUM}' where record_id = %(everything)s",
        "Everything", "records", "columns do not say what the text says", "everything",
    ),
    "L18 a link without a field on the other side": Loss(
        f"select jsonb_array_length(fields -> '{PARENT}') = 2 from airtable.records where record_id = %(child)s",
        f"update airtable.records set fields = fields - '{PARENT}' where record_id = %(child)s",
        "Tree", "records", "columns do not say what the text says", "child",
    ),
}  # fmt: skip


@dataclass
class Judged:
    """What was in Postgres of each loss, the proof's checks after all of them were done, and who is who."""

    kept: dict[str, Any]
    proven: dict[str, Any]
    proof: dict[str, Any]
    who: dict[str, str]

    def named(self, loss: Loss) -> Any:
        """What the proof says under the loss's words: ids, or a number."""
        (check,) = [c for c in self.proof["checks"] if (c["table"], c["name"]) == (loss.table, loss.check)]
        assert check["passed"] is False, check
        return check["detail"].get(loss.words if isinstance(loss.record, int) else f"{loss.words} (ids)")


def judge(connection: psycopg.Connection, losses: dict[str, Loss], who: dict[str, str]) -> dict[str, Any]:
    """What Postgres holds of each loss; then all of them are done."""
    with connection.transaction():
        kept = {name: connection.execute(loss.kept.encode(), who).fetchall() for name, loss in losses.items()}
        connection.execute("set local migration.writer = 'on'")
        for name, loss in losses.items():
            assert connection.execute(loss.plant.encode(), who).rowcount > 0, name
    return kept


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """The five tables: migrated, changed in Airtable, migrated again; then every loss at once, and the proof."""
    folder = tmp_path_factory.mktemp("losses")
    create_base(folder / "base.sqlite", seed=7, scale=300)
    who = prepare(folder / "base.sqlite")
    with (
        LocalAirtable(folder / "base.sqlite", requests_per_second=None) as airtable,
        open_lane(folder / "home", airtable) as lane,
    ):
        airtable.faults.add(
            f"/{schema.QUOTES.id}?", 422, '{"error":{"type":"LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}', after=1
        )
        run = lane.run("migrate")
        assert run.is_success, facts(run, lane)
        assert latest_export(lane.store).table(schema.QUOTES.id).restarts == 1
        change(airtable, who)
        run = lane.run("migrate")
        assert run.is_success, facts(run, lane)
        proven = reports.read(lane.store, run.run_id, "proof")
        with connections.database(lane.settings, purpose="test") as connection:
            kept = judge(connection, LOSSES, who)
        lane.store.delete(f"media/{lose_a_file(lane)}")
        run = lane.run("verify")
        assert not run.is_success
        assert False in lane.checks(run).values(), facts(run, lane)
        yield Judged(kept, proven, reports.read(lane.store, run.run_id, "proof"), who)


def lose_a_file(lane: Lane) -> str:
    """The hash of a file that exactly one attachment has."""
    query = (
        "select min(file_sha256) from airtable.attachments group by file_sha256 having count(*) = 1 limit 1"
    )
    return str(lane.query(query)[0][0])


def prepare(path: Path) -> dict[str, str]:
    """Put into the base what others lose; the record ids by what a test calls them."""
    file = BaseFile(path)
    stories, tellers, media = (
        [row.record_id for row in file.all(NUMBER[name]) if row.cells]
        for name in ("Stories", "Storytellers", "Media")
    )
    who = {
        "blank": "recBlank000000000",
        "story": stories[0],
        "coauthored": stories[1],
        "media": media[0],
        "teller": tellers[0],
        "updated": tellers[1],
        "emptied": tellers[2],
        "other": tellers[3],
        "quote": "recQuote000000000",
        "deleted": "recQuote000000001",
        "themes": schema.THEMES.id,
    }
    add(file, "Quotes", {who["blank"]: {}})
    add(file, "Themes", {f"recTheme{n:09d}": {"Theme Name": f"theme {n}"} for n in range(MORE_THEMES)})
    add(file, "Quotes", {f"recQuote{n:09d}": {"Quote Text": f"words {n}"} for n in range(MORE_QUOTES + 1)})
    put(
        file,
        {
            who["story"]: {"Title": LONG, "Airtable: Last modified time": MODIFIED},
            who["media"]: {"Created At": "2025-02-30"},
            who["teller"]: {"Preferred Name": "Preferred", "Role": "Another", "Website themes": OPTIONS},
            who["updated"]: {"Bio": "an old one"},
            who["emptied"]: {"Bio": "an old one", "Done": True},
        },
        then={who["story"]: {"Quotes Rollup": {"error": "#ERROR!"}}},
    )
    body = encode({"id": "comOfATest00000001", "text": "somebody asked", "createdTime": CREATED})
    file.add_comments([Comment("comOfATest00000001", who["quote"], 0, body)])
    file.count_comments(who["quote"])
    file.db.commit()
    file.close()
    return who


def add(file: BaseFile, name: str, records: dict[str, dict[str, Any]]) -> None:
    """New records of a table."""
    table = schema.TABLES[NUMBER[name]]
    first = file.last_seq(NUMBER[name]) + 1
    file.add_records(
        Row(
            first + at,
            record_id,
            CREATED,
            CREATED,
            0,
            pack({table.field_id(f): encode(v) for f, v in cells.items()}),
        )
        for at, (record_id, cells) in enumerate(records.items())
    )


def put(file: BaseFile, changes: dict[str, dict[str, Any]], *, then: dict[str, dict[str, Any]]) -> None:
    """Change cells, and all that is computed from them; ``then`` changes cells that are computed."""
    rows = {row.record_id: (row, table) for n, table in enumerate(schema.TABLES) for row in file.all(n)}
    cells = {record_id: unpack(row.cells) for record_id, (row, _) in rows.items()}

    def change(every: dict[str, dict[str, Any]]) -> None:
        for record_id, values in every.items():
            table = rows[record_id][1]
            cells[record_id].update({table.field_id(f): encode(v) for f, v in values.items()})

    change(changes)
    records: dict[str, list[tuple[str, str, Cells]]] = {}
    for record_id, (row, table) in rows.items():
        records.setdefault(table.id, []).append((record_id, row.created, cells[record_id]))
    set_derived(derivations(schema.TABLES), records, cells.get)
    change(then)
    for record_id, (row, _) in rows.items():
        file.replace(replace(row, cells=pack(cells[record_id])))


def change(airtable: LocalAirtable, who: dict[str, str]) -> None:
    """Change the base between the two migrations, with Airtable's own client."""
    api = Api(airtable.api_key, endpoint_url=airtable.url)
    stories, tellers, quotes = (
        api.table(airtable.base_id, name) for name in ("Stories", "Storytellers", "Quotes")
    )
    stories.update(who["coauthored"], {"Storytellers": [who["other"], who["updated"]]})
    tellers.update(who["updated"], {"Bio": "a new one"})
    tellers.update(who["emptied"], {"Bio": None, "Done": False})
    quotes.delete(who["deleted"])


@pytest.mark.parametrize("name", LOSSES)
def test_what_others_lose_is_in_postgres(judged: Judged, name: str) -> None:
    assert judged.kept[name] == [(True,)]


@pytest.mark.parametrize("name", LOSSES)
def test_the_proof_names_the_loss(judged: Judged, name: str) -> None:
    loss = LOSSES[name]
    found = judged.named(loss)
    assert found == loss.record if isinstance(loss.record, int) else judged.who[loss.record] in found


def test_l11_files_are_kept_themselves_and_one_that_is_gone_is_named(judged: Judged) -> None:
    """Not an address that is dead after two hours: the bytes, by their hash."""
    assert judged.proven["files"]["files"] > 20
    assert judged.proven["files"]["missing"]["count"] == 0
    assert judged.proof["files"]["missing"]["count"] == 1
    assert len(judged.proof["files"]["missing"]["ids"]) == 1


def test_nothing_was_lost_before_it_was_lost_on_purpose(judged: Judged) -> None:
    assert judged.proven["passed"] is True
    assert judged.proof["passed"] is False
    assert judged.proof["headline"].startswith("Not proven")


@pytest.fixture(scope="module")
def of_any_base(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, migrated_template: str
) -> Iterator[Judged]:
    """The base of every type, exported, loaded and proven; then every loss at once, and the proof again."""
    folder = tmp_path_factory.mktemp("any")
    create_base(folder / "base.sqlite", shape="any_base", scale=60)
    store = open_store((folder / "objects").as_uri())
    with (
        LocalAirtable(folder / "base.sqlite", requests_per_second=None) as airtable,
        database(cluster, migrated_template, "losses_of_any_base") as url,
        connect(url, application_name="test") as connection,
    ):
        export = export_any(airtable, store, folder)
        options: dict[str, Any] = {"environment": "staging", "specs": (), "run_id": "test"}
        assert load(connection, store, export, None, first_month=date(2024, 10, 1), **options).committed
        proven = reconcile(connection, store=store, export=export, ledger=None, specs=())
        who = people_of_any_base(connection)
        kept = judge(connection, OF_ANY_BASE, who)
        proof = reconcile(connection, store=store, export=export, ledger=None, specs=())
        yield Judged(kept, document(proven), document(proof), who)


def export_any(airtable: LocalAirtable, store: ObjectStore, folder: Path) -> Export:
    """Export the base with its files."""
    environ = {
        "LEDGER_HOME": str(folder / "home"),
        "AIRTABLE_ENDPOINT_URL": airtable.url,
        "AIRTABLE_API_KEY": airtable.api_key,
        "AIRTABLE_BASE_ID": airtable.base_id,
        "AIRTABLE_REQUESTS_PER_SECOND": "100000",
    }
    with (
        set_environ(environ),
        connections.airtable_client(read_settings(Environment.STAGING)) as client,
    ):
        manifest = export_base(client, store, environment="staging")
        export = Export(store, manifest.export_id)
        download_attachments(client, store, export)
    return export


def people_of_any_base(connection: psycopg.Connection) -> dict[str, str]:
    """Record ids by what a test calls them."""
    wanted = {
        "everything": f"fields ->> '{AMOUNT}' = '9007199254740993' and fields ? '{SUMMARY}'",
        "first": f"table_id = '{any_schema.EVERYTHING.id}'",
        "alike": f"fields ?& array{ALIKE}",
        "child": f"jsonb_array_length(fields -> '{PARENT}') = 2",
    }
    who = {"table": any_schema.EVERYTHING.id, "everything": ""}
    with connection.transaction():
        for name, condition in wanted.items():
            query = f"select min(record_id) from airtable.records where {condition} and record_id <> %(everything)s"
            row = connection.execute(query.encode(), who).fetchone()
            assert row is not None
            who[name] = row[0]
    return who


@pytest.mark.parametrize("name", OF_ANY_BASE)
def test_what_others_lose_of_any_base_is_in_postgres(of_any_base: Judged, name: str) -> None:
    assert of_any_base.proven["passed"] is True
    assert of_any_base.kept[name] == [(True,)]


@pytest.mark.parametrize("name", OF_ANY_BASE)
def test_the_proof_names_the_loss_in_any_base(of_any_base: Judged, name: str) -> None:
    loss = OF_ANY_BASE[name]
    found = of_any_base.named(loss)
    assert found == loss.record if isinstance(loss.record, int) else of_any_base.who[loss.record] in found
