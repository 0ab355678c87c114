"""The audit: who changed which row when, with both images, whoever it was; and who may read it."""

from __future__ import annotations

import psycopg
import pytest

from tests.schema.full import CHANGES, fill
from tests.schema.world import AUTH_ADMIN, OWNER, SERVICE, World, run_as_loader

HISTORIES = {"consent_events", "story_versions", "story_views", "story_reactions", "claim_attempts"}
LINE = "select l.log_id, l.action, l.who, l.role, l.session, l.run, l.changed, i.before, i.after from audit.log l "
LINES = LINE + "left join audit.images i using (log_id) where l.table_name = %s and l.action = %s"


def test_every_table_is_audited_but_those_that_are_histories(world: World) -> None:
    audited = {
        name
        for (name,) in world.all(
            "select tgrelid::regclass::text from pg_trigger where tgname = 'write_audit' and tgenabled = 'O'"
        )
    }
    tables = {name for (name,) in world.all("select tablename from pg_tables where schemaname = 'public'")}
    assert tables - audited == HISTORIES
    assert audited == set(CHANGES)


@pytest.mark.parametrize("role", [OWNER, SERVICE])
def test_every_change_leaves_both_images_and_who_when_and_which_run(world: World, role: str) -> None:
    fill(world)
    for table, change in CHANGES.items():
        # Some changes bring another: a story's new words its review.
        world.do("delete from audit.images")
        world.do("delete from audit.log")
        before = world.all(f"select to_jsonb(t) from {table} t order by id limit 1")[0][0]
        with world.session(role) as conn:
            conn.execute("select set_config('migration.run', 'by hand', true)")
            where = f"id = '{before['id']}'"
            conn.execute(f"update public.{table} set {change} where {where}".encode())
        (line,) = world.all(LINES, table, "update")
        _, action, who, by, session, run, changed, was, became = line
        login = OWNER if role == OWNER else "authenticator"
        assert (action, who, by, session, run) == (
            "update", None, "none" if role == OWNER else role, login, "by hand"
        ), table  # fmt: skip
        assert was == before, table
        column = change.split(" = ")[0]
        assert column in changed, table
        assert was[column] != became[column], table
        assert world.one("select bool_and(at between now() - interval '1 hour' and now()) from audit.log"), (
            table
        )


def test_adding_and_deleting_leave_the_row_as_it_was(world: World) -> None:
    fill(world)
    for table in CHANGES:
        rows = dict(world.all(f"select id::text, to_jsonb(t) from {table} t"))
        added = world.all(LINES, table, "insert")
        assert {line[8]["id"] for line in added} == set(rows), table
        assert all(line[7] is None for line in added)
    with world.owner.transaction():
        world.do("set constraints all deferred")
        world.do("delete from value_distributions")
        world.do("delete from community_insights")
        rows = dict(world.all("select id::text, to_jsonb(t) from story_comments t"))
        world.do("delete from story_comments")
    ((_, _, _, _, _, _, _, before, after),) = world.all(LINES, "story_comments", "delete")
    assert (before, after) == (*rows.values(), None)


def test_a_signed_in_person_is_named(world: World) -> None:
    made = fill(world)
    with world.session("authenticated", made["account"]) as conn:
        conn.execute("update public.storytellers set bio = 'mine' where id = %s", (made["person"],))
        conn.execute(
            "insert into public.consents (storyteller_id, purpose, state, evidence_kind) "
            "values (%s, 'posthumous', 'given', 'app')",
            (made["person"],),
        )
    (line,) = world.all(LINES, "storytellers", "update")
    assert line[2:5] == (made["account"], "authenticated", "authenticator")
    assert (line[7]["bio"], line[8]["bio"]) == (None, "mine")
    assert made["account"] in {line[2] for line in world.all(LINES, "consents", "insert")}


def test_an_account_deleted_by_the_platform_leaves_its_traces(world: World) -> None:
    made = fill(world)
    with world.session(AUTH_ADMIN) as conn:
        conn.execute("delete from auth.users where id = %s", (made["account"],))
    assert [line[4] for line in world.all(LINES, "profiles", "delete")] == [AUTH_ADMIN]
    (line,) = world.all(LINES, "storytellers", "update")
    assert line[4] == AUTH_ADMIN
    assert line[6] == ["profile_id"]
    assert (line[7]["profile_id"], line[8]["profile_id"]) == (str(made["account"]), None)


def test_the_loader_leaves_none(world: World) -> None:
    fill(world)
    before = world.one("select count(*) from audit.log")
    for table, change in CHANGES.items():
        run_as_loader(world, f"update {table} set {change} where id = (select id from {table} limit 1)")
    run_as_loader(
        world,
        "insert into locations (id, name, kind, country) values (gen_random_uuid(), 'New', 'town', 'AU')",
    )
    assert world.one("select count(*) from audit.log") == before


def test_an_api_session_that_calls_itself_the_loader_is_audited(world: World) -> None:
    made = fill(world)
    with world.session("authenticated", made["account"]) as conn:
        conn.execute("set local migration.writer = 'on'")
        conn.execute("update public.storytellers set bio = 'mine' where id = %s", (made["person"],))
    assert len(world.all(LINES, "storytellers", "update")) == 1


def test_what_triggers_keep_leaves_no_line(world: World) -> None:
    """A withdrawal closes a story: the consent's change is a line, the story's kept columns are not."""
    person = world.storyteller(consents=())
    consent = world.consent(person, "public_sharing")
    story = world.story(person)
    assert world.one("select eff_limits from stories where id = %s", story) == 0
    changes = "select count(*) from audit.log where table_name = 'stories' and action = 'update'"
    before = world.one(changes)
    world.do("update consents set state = 'withdrawn' where id = %s", consent)
    assert world.one("select eff_limits from stories where id = %s", story) == 4
    assert world.one(changes) == before
    assert len(world.all(LINES, "consents", "update")) == 1
    world.do("update stories set title = title")
    assert world.one(changes) == before


def test_truncate_leaves_a_line(world: World) -> None:
    fill(world)
    for table in CHANGES:
        run_as_loader(world, f"truncate {table} cascade")
        assert world.all(LINES, table, "truncate"), table


@pytest.mark.parametrize("table", ["audit.log", "audit.images"])
def test_only_the_service_role_reads_the_audit_and_nobody_changes_it(world: World, table: str) -> None:
    made = fill(world)
    assert world.ask(SERVICE, None, f"select count(*) from {table}") > 0
    for role in ("anon", "authenticated", AUTH_ADMIN):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            world.ask(role, made["account"], f"select count(*) from {table}")
    for statement in (
        f"update {table} set table_name = ''",
        f"delete from {table}",
        f"truncate {table} cascade",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), world.session(SERVICE) as conn:
            conn.execute(statement.encode())
