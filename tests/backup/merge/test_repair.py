"""A damaged schema is whole again, with its data: each damage alone, several at once, and nothing half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledger_assets import lane
from ledger_assets.backup.contents import read_contents
from ledger_assets.backup.merge import EXACT, LOST, undo
from ledger_assets.backup.repair import Repaired, differences, repair
from ledger_assets.demo.postgres import Cluster
from ledger_assets.errors import TargetError
from ledger_assets.schema.catalogue import SCHEMAS
from tests.backup.merge.conftest import a_pair
from tests.backup.merge.pair import OWN_TRACE, Pair
from tests.backup.merge.test_trouble import wait_for_the_dead
from tests.schema_verify.drifts import DRIFTS

DAMAGES = {
    "column": "alter table public.stories drop column copy cascade",
    "column in the middle": "alter table public.storytellers drop column name cascade",
    "column with a default": "alter table public.storytellers drop column privacy cascade",
    "column named like a word of SQL": 'alter table public.quote_interviews drop column "position" cascade',
    "column that refers": "alter table public.stories drop column community_id cascade",
    "column that identifies the record": "alter table public.stories drop column airtable_record_id cascade",
    "raw cells": "alter table airtable.records drop column raw cascade",
    "several columns": (
        "alter table public.stories drop column title cascade, drop column privacy cascade, drop column status cascade"
    ),
    "column renamed": "alter table public.interviews rename column transcript to words",
    "table": "drop table public.story_comments cascade",
    "table that others refer to": "drop table public.communities cascade",
    "stories": "drop table public.stories cascade",
    "consents": "drop table public.consents cascade",
    "profiles": "drop table public.profiles cascade",
    "audit": "drop table audit.images cascade",
    "numbered table": "drop table public.story_views cascade",
    "constraint": "alter table public.stories drop constraint stories_sensitivity_check",
    "key": "alter table public.stories drop constraint stories_pkey cascade",
    "foreign key": "alter table public.quotes drop constraint quotes_storyteller_id_fkey",
    "constraint of another": "alter table public.stories add constraint short check (length(title) < 1000)",
    "index": "drop index private.story_search_words_idx",
    "index of another": "create unique index only_once on public.stories (airtable_record_id)",
    "policies": "drop policy anon_select on public.stories; drop policy anon_select on public.quotes",
    "policy for everybody": "create policy all_of_it on public.interviews for select to anon using (true)",
    "trigger": "drop trigger keep_version on public.stories",
    "trigger off": "alter table public.consents disable trigger user",
    "function": "drop function private.my_stories() cascade",
    "function of another result": (
        "drop function private.my_stories() cascade; create function private.my_stories() returns text language sql as "
        "$$ select 'none' $$"
    ),
    "function that all else calls": "drop function private.is_loader() cascade",
    "grant": "revoke all on public.stories from authenticated; revoke usage on schema private from anon",
    "grant to everybody": "grant all on all tables in schema public, audit, migration to anon",
    "row-level security": (
        "alter table public.consents disable row level security; alter table public.themes force row level security"
    ),
    "type": "alter table airtable.attachments alter filename type varchar(500)",
    "number as text": (
        "drop trigger write_audit on public.story_analysis; "
        "alter table public.story_analysis drop constraint story_analysis_confidence_check; "
        "alter table public.story_analysis alter confidence type text"
    ),
    "time as text": "alter table airtable.records alter created_time type text",
    "default": "alter table public.storytellers alter sensitive set default false, alter privacy drop default",
    "may be empty": "alter table public.stories alter privacy drop not null",
    "identity": "alter table audit.log alter log_id drop identity",
    "view": "drop view private.story_people cascade",
    "view of another": "create view public.everything as select * from public.storyteller_contacts",
    "unlogged": "alter table public.claim_attempts set unlogged",
    "words of stories": "drop table private.story_search cascade",
    "what keeps the words": "drop function private.keep_search() cascade; delete from private.story_search",
    "function of another that opens": (
        "create function public.everything() returns setof public.stories language sql security definer as "
        "$$ select * from public.stories $$"
    ),
    "default privileges": "alter default privileges in schema public grant all on tables to anon",
}


def damage(pair: Pair, *statements: str) -> None:
    for statement in statements:
        for single in statement.split("; ") if "$$" not in statement else [statement]:
            pair.world.owner.execute(single.encode())


def mend(pair: Pair) -> Repaired:
    return repair(pair.live, pair.scratch, who="a tester")


def whole(conn: psycopg.Connection) -> dict[str, Any]:
    """Every table's content and the whole catalogue, but for what a repair writes of itself."""
    with conn.transaction():
        read = read_contents(conn, SCHEMAS)
    tables = {k: (t.rows, t.lanes) for k, t in read.tables.items() if k not in OWN_TRACE}
    return {"tables": tables, "catalogue": {i.key: i.definition for i in read.catalogue}}


@pytest.fixture(autouse=True)
def release(cluster: Cluster, migrated_template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the migrations make is read from the database that they made for this run, not from one for each test."""

    @contextmanager
    def made(_: psycopg.Connection) -> Iterator[psycopg.Connection]:
        with psycopg.connect(cluster.url(migrated_template)) as connection:
            yield connection

    monkeypatch.setattr(lane, "scratch_database", made)


@pytest.mark.parametrize("name", DAMAGES)
def test_what_was_damaged_is_as_it_was(pair: Pair, name: str) -> None:
    before = whole(pair.live)
    damage(pair, DAMAGES[name])
    assert differences(pair.live)
    done = mend(pair)
    renamed = name == "column renamed"
    assert [d.object for d in done.left] == (["public.interviews.words"] if renamed else [])
    if renamed:
        damage(pair, "alter table public.interviews drop column words")
    assert differences(pair.live) == ()
    assert whole(pair.live) == before
    assert not [c for c in pair.apply(EXACT).preview.changes if c.table not in OWN_TRACE]
    assert whole(pair.live) == before


# What is no damage of ours to mend, or stays: extra things that hold data, the server's roles, what others publish.
STAYS = {
    "column added", "table added", "type added", "schema made over to another", "published", "schema published",
    "all tables published", "row-level security bypassed", "role may log in", "role in another", "role out of another",
    "setting of a role", "setting of the database", "setting of the owner", "closed schema exposed",
    "create in the database", "owner of a table changed", "owner of a function changed", "trigger of ours on accounts",
    "checks of foreign keys on accounts switched off", "policy on the platform's table that asks us",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(DRIFTS.keys() - STAYS))
def test_every_drift_that_verify_names_is_mended(pair: Pair, name: str) -> None:
    before = whole(pair.live)
    pair.world.owner.execute(DRIFTS[name][0].encode())
    assert mend(pair).left == ()
    assert whole(pair.live) == before


def test_extra_things_that_hold_data_stay_and_are_closed(pair: Pair) -> None:
    damage(
        pair,
        "alter table public.stories add note text default 'kept', add check (note <> '')",
        "create table public.theirs (id uuid primary key default gen_random_uuid(), words text)",
        "insert into public.theirs (words) values ('kept')",
        "grant all on public.theirs to anon",
        "create policy theirs on public.theirs for select to anon using (true)",
        "create policy wide on public.stories for select to anon using (true)",
        "grant select (note) on public.stories to anon",
        "alter table public.stories drop column copy cascade",
    )
    left = {d.object for d in mend(pair).left}
    assert left >= {"public.stories.note", "public.theirs"}
    assert all("note" in name or "theirs" in name for name in left)
    assert pair.world.one("select count(*) from public.theirs where words = 'kept'") == 1
    assert pair.world.one("select bool_and(note = 'kept') from public.stories")
    assert pair.world.all("select polname from pg_policy where polname in ('wide', 'theirs')") == []
    assert not pair.world.one("select has_table_privilege('anon', 'public.theirs', 'select')")
    assert not pair.world.one("select has_column_privilege('anon', 'public.stories', 'note', 'select')")
    assert {d.object for d in mend(pair).left} == left, "a second repair finds no more"


def test_newer_rows_keep_what_they_have(pair: Pair) -> None:
    newer = pair.world.storyteller("Newer", airtable_record_id="recNewer")
    older = pair.world.one("select id from public.storytellers where id <> %s limit 1", newer)
    pair.world.do("update public.storytellers set bio = 'since' where id = %s", older)
    dated = pair.world.one("select updated_at from public.storytellers where id = %s", older)
    damage(
        pair,
        "alter table public.storytellers drop column privacy cascade",
        "alter table public.storytellers drop column location_id cascade",
    )
    mend(pair)
    assert pair.world.one("select privacy from public.storytellers where id = %s", newer) == pair.world.one(
        "select (regexp_match(pg_get_expr(adbin, adrelid), '[a-z]+'))[1] from pg_attrdef d join pg_attribute a on "
        "a.attrelid = d.adrelid and a.attnum = d.adnum where a.attrelid = 'public.storytellers'::regclass "
        "and a.attname = 'privacy'"
    )
    assert pair.world.one("select bio from public.storytellers where id = %s", older) == "since"
    assert pair.world.one("select updated_at from public.storytellers where id = %s", older) == dated
    pair.apply(LOST)


def refuses(pair: Pair, *told: str) -> None:
    before = whole(pair.live)
    with pytest.raises(TargetError) as caught:
        mend(pair)
    assert [part for part in told if part not in str(caught.value)] == []
    assert whole(pair.live) == before


def test_words_that_were_taken_back_since_the_snapshot_are_not_searched_again(pair: Pair) -> None:
    query = "select story_id from private.story_search"
    (closed, *_), *rest = pair.world.all(query)
    pair.world.do("update stories set status = 'archived', published_at = null where id = %s", closed)
    damage(pair, "drop table private.story_search cascade")
    mend(pair)
    assert set(pair.world.all(query)) == set(rest)


def test_a_newer_row_that_needs_a_value_is_named_and_nothing_changes(pair: Pair) -> None:
    pair.world.storyteller(
        "Newer", airtable_record_id="recNewer", airtable_base_id="b", airtable_table_id="t"
    )
    damage(pair, "alter table public.storytellers drop column name cascade", DAMAGES["policies"])
    refuses(pair, "public.storytellers.name", "recNewer")


def test_a_value_that_does_not_fit_is_refused_without_a_word_of_it(pair: Pair) -> None:
    damage(
        pair,
        "alter table airtable.records alter created_time type text",
        "update airtable.records set created_time = 'secret words'",
    )
    refuses(pair, "airtable.records.created_time")
    with pytest.raises(TargetError) as caught:
        mend(pair)
    assert "secret" not in str(caught.value)


def test_a_row_that_a_dropped_constraint_let_in_is_named(pair: Pair) -> None:
    damage(
        pair,
        "alter table public.quotes drop constraint quotes_storyteller_id_fkey",
        "update public.quotes set storyteller_id = gen_random_uuid()",
    )
    refuses(
        pair,
        "quotes_storyteller_id_fkey",
        str(pair.world.one("select id from public.quotes order by id::text limit 1")),
    )


def test_a_lost_key_is_refused(pair: Pair) -> None:
    damage(pair, "alter table public.story_comments drop column id cascade")
    refuses(pair, "public.story_comments.id", "primary key")


@pytest.mark.parametrize(
    "how", ["drop table public.consents cascade", "alter table public.consents drop column state cascade"]
)
def test_a_withdrawn_consent_stays_withdrawn(pair: Pair, how: str) -> None:
    consent = pair.world.one("select id from public.consents where state = 'given' order by id limit 1")
    pair.world.do("update public.consents set state = 'withdrawn' where id = %s", consent)
    damage(pair, how)
    mend(pair)
    assert pair.world.one("select state from public.consents where id = %s", consent) == "withdrawn"
    assert pair.world.one("select count(*) from private.visibility_drift") == 0


def test_the_way_back_of_an_earlier_restore_still_leads_back(pair: Pair) -> None:
    pair.damage("update public.stories set title = 'vandalised', copy = 'vandalised'")
    vandalised = pair.contents()
    undo_id = pair.apply(EXACT).undo_id
    damage(pair, "alter table public.stories drop column title cascade")
    mend(pair)
    undo(pair.live, undo_id, who="a tester")
    found = pair.world.one(
        "select count(*) from public.stories where title = 'vandalised' and copy = 'vandalised'"
    )
    assert found == len(vandalised["public.stories"])


def test_what_named_a_newer_row_of_a_lost_table_is_emptied_and_told(pair: Pair) -> None:
    newer = pair.world.account("Newer")
    pair.damage("update public.elder_review_queue set reviewer_id = %s", newer)
    damage(pair, "drop table public.profiles cascade")
    done = mend(pair)
    assert pair.world.one("select count(*) from public.elder_review_queue where reviewer_id is not null") == 0
    assert any("public.elder_review_queue: 1 values of reviewer_id emptied" in line for line in done.lines)


def test_what_belongs_to_a_newer_row_of_a_lost_table_is_named(pair: Pair) -> None:
    community = pair.world.community("newer")
    story = pair.world.one("select id from public.stories order by id limit 1")
    pair.world.do("update public.stories set community_id = %s where id = %s", community, story)
    damage(pair, "drop table public.communities cascade")
    refuses(pair, "stories_community_id_fkey", "public.communities")


KILLED = """
import os, signal, sys
import psycopg
from ledger_assets.backup.repair import repair

class Killing(psycopg.Cursor):
    def execute(self, query, *rest, **more):
        told = query.as_string(None) if hasattr(query, "as_string") else query
        if sys.argv[3] in str(told):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(query, *rest, **more)

with psycopg.connect(sys.argv[1], cursor_factory=Killing) as live, psycopg.connect(sys.argv[2]) as scratch:
    repair(live, scratch, who="a tester")
"""


@pytest.mark.parametrize(
    "step",
    [
        "lock table",
        "drop policy",
        "add column",
        "update only",
        "add constraint",
        "drop view",
        "migration.mode', ''",
    ],
)
def test_killed_anywhere_nothing_was_changed(pair: Pair, step: str) -> None:
    damage(pair, DAMAGES["column"], DAMAGES["policy for everybody"], DAMAGES["foreign key"])
    before = whole(pair.live)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, pair.live_url, pair.scratch_url, step],
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    wait_for_the_dead(pair)
    assert whole(pair.live) == before
    assert mend(pair).left == ()


@settings(
    max_examples=int(os.environ.get("REPAIR_EXAMPLES", "8")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(
    names=st.lists(
        st.sampled_from(sorted(DAMAGES.keys() - {"column renamed"})), min_size=2, max_size=6, unique=True
    )
)
def test_whatever_was_damaged_together_is_as_it_was(
    cluster: Cluster, filled_template: str, names: list[str]
) -> None:
    with a_pair(cluster, filled_template) as pair:
        before = whole(pair.live)
        for name in names:
            # What an earlier one took away cannot be damaged again.
            with suppress(psycopg.Error):
                damage(pair, DAMAGES[name])
        assert mend(pair).left == (), names
        pair.apply(EXACT)
        assert whole(pair.live) == before, names
