"""How other tools lose data without a word (L1-L19 of reference/airtable.md): here each is kept, and proven.

Each loss is judged twice. First the base is made so that the loss could happen, migrated, and Postgres must hold
what would have been lost. Then the loss is done in Postgres as the other tool would have done it, and the proof must
fail and name that very record and field.

All losses are done at once, to different records: one migration and one proof judge them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyairtable import Api

from ledger_assets import connections, reports
from ledger_assets.demo import schema
from ledger_assets.demo.base import create_base
from ledger_assets.demo.basefile import BaseFile, Comment
from ledger_assets.demo.cells import encode
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.extract.export import latest_export

from .conftest import Lane, facts
from .losses import CREATED, NUMBER, Judged, Loss, add, judge, put
from .test_silent_losses_of_any_base import OF_ANY_BASE
from .worlds import open_lane

MORE_THEMES, MORE_QUOTES = 1001, 150
LONG = "A title that is longer than any sample " * 5
MODIFIED = "2025-03-04T05:06:07.123Z"
OPTIONS = ["Hope", "hope", "Work, and rest"]

ROW = "from public.{} where airtable_record_id = "
WITHOUT = (
    "update airtable.records r set raw = n.raw, fields = r.fields - n.field, sha256 = sha256(convert_to(n.raw, 'UTF8'))"
    " from (select record_id, {field} as field, replace(raw, {cell}, '') as raw from airtable.records) n"
    " where n.record_id = r.record_id and r.record_id = {record}"
)
"""A cell left out of the text itself, as a tool that never kept it would have it."""


ROLLUP = schema.STORIES.field_id("Quotes Rollup")
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


def test_every_loss_of_the_list_has_its_test() -> None:
    """L11 is of files, and has one of its own above."""
    numbers = [re.match(r"L(\d+) ", name) for name in (*LOSSES, *OF_ANY_BASE)]
    assert {int(number[1]) for number in numbers if number} | {11} == set(range(1, 20))
