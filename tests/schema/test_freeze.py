"""The freeze: nobody but the loader writes, everybody reads on, and it ends by itself when its end has come."""

from __future__ import annotations

import psycopg
import pytest

from tests.schema.full import CHANGES, fill
from tests.schema.world import AUTH_ADMIN, OWNER, SERVICE, World, run_as_loader

END = "2099-12-31T05:00:00Z"


def refusal(world: World, role: str, account: object, statement: str) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as caught, world.session(role, account) as conn:  # type: ignore[arg-type]  # an account's id or None
        conn.execute(statement.encode())
    assert caught.value.sqlstate == "PT503", (role, statement, caught.value)
    return caught.value


def test_every_table_of_public_refuses_every_kind_of_write(world: World) -> None:
    """tgtype: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate."""
    without = world.all(
        "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') "
        "and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgenabled in ('O', 'A') "
        "and t.tgfoid = 'private.refuse_frozen()'::regprocedure and t.tgtype = 2 + 4 + 8 + 16 + 32 and t.tgqual is null)"
    )
    assert without == []


def test_the_test_above_names_a_table_without(world: World) -> None:
    fill(world)
    world.freeze()
    with world.owner.transaction(force_rollback=True):
        world.do("drop trigger aa_refuse_frozen on public.themes")
        with pytest.raises(AssertionError, match="themes"):
            test_every_table_of_public_refuses_every_kind_of_write(world)


@pytest.mark.parametrize("role", [OWNER, SERVICE])
def test_insert_update_delete_and_truncate_are_refused(world: World, role: str) -> None:
    fill(world)
    world.freeze(END)
    for table, change in CHANGES.items():
        error = refusal(world, role, None, f"update public.{table} set {change}")
        assert "moving to the new archive" in str(error)
        assert error.diag.message_detail == "until 2099-12-31 05:00 UTC"
        refusal(world, role, None, f"delete from public.{table}")
        refusal(world, role, None, f"insert into public.{table} (id) values (gen_random_uuid())")
        refusal(world, OWNER, None, f"truncate public.{table} cascade")


def test_a_signed_in_person_is_refused_even_where_no_row_would_be_hit(world: World) -> None:
    made = fill(world)
    world.freeze()
    for statement in (
        "update public.stories set copy = 'x'",
        "update public.storytellers set bio = 'x' where false",
        "delete from public.story_comments",
        "insert into public.profiles (id, display_name) values (gen_random_uuid(), 'x')",
    ):
        error = refusal(world, "authenticated", made["account"], statement)
        assert error.diag.message_detail == "until further notice"


def test_definer_functions_are_refused(world: World) -> None:
    made = fill(world)
    world.row("erasure_requests", scope="story", story_id=made["story"])
    world.freeze()
    refusal(world, "authenticated", made["account"], "select public.claim_storyteller('guess')")
    analysis = world.one("select id from story_analysis limit 1")
    refusal(world, "authenticated", made["account"], f"select public.validate_analysis('{analysis}', true)")
    request = world.one("select id from erasure_requests where scope = 'story'")
    refusal(world, SERVICE, None, f"select public.carry_out_erasure('{request}')")


def test_a_view_is_not_counted_and_is_no_error(world: World) -> None:
    made = fill(world)
    view, counted = f"select public.record_view('{made['story']}')", "select count(*) from story_views"
    world.freeze()
    before = world.one(counted)
    assert world.ask("anon", None, view) is False
    assert world.one(counted) == before
    world.do("update migration.maintenance set frozen = false")
    assert world.ask("anon", None, view) is True
    assert world.one(counted) == before + 1


def test_an_account_without_a_profile_stays_too(world: World) -> None:
    world.do("insert into auth.users (id, email) values (gen_random_uuid(), 'nobody@example.org')")
    world.freeze()
    refusal(world, AUTH_ADMIN, None, "delete from auth.users")
    assert world.one("select count(*) from auth.users") == 1


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_transaction_that_began_before_the_freeze_is_refused_whatever_it_sees(
    world: World, level: str
) -> None:
    fill(world)
    with world.session(SERVICE) as conn:
        conn.commit()
        conn.execute(f"begin isolation level {level}".encode())
        conn.execute("select count(*) from public.themes")
        world.freeze()
        with pytest.raises(psycopg.errors.SerializationFailure):
            conn.execute("update public.themes set name = 'x'")


def test_an_account_cannot_be_deleted_half(world: World) -> None:
    made = fill(world)
    world.freeze()
    refusal(world, AUTH_ADMIN, None, f"delete from auth.users where id = '{made['account']}'")
    assert world.one("select count(*) from auth.users where id = %s", made["account"]) == 1


def test_reading_goes_on_and_tells_why_writing_does_not(world: World) -> None:
    made = fill(world)
    world.freeze(END)
    assert world.ask("anon", None, "select count(*) from public.stories") > 0
    assert world.ask("authenticated", made["account"], "select public.my_dashboard() -> 'stories'") == 3
    state = world.ask("anon", None, "select public.maintenance_state()")
    assert (state["frozen"], state["reason"]) == (True, "moving to the new archive")


def test_who_froze_is_told_to_the_apps_own_server_alone(world: World) -> None:
    world.freeze()
    world.do("update migration.maintenance set who = 'the owner'")
    query = "select public.maintenance_state()"
    assert world.ask(SERVICE, None, query)["who"] == "the owner"
    for role in ("anon", "authenticated"):
        assert set(world.ask(role, None, query)) == {"frozen", "reason", "since", "until"}


def test_the_loader_passes(world: World) -> None:
    fill(world)
    world.freeze(END)
    run_as_loader(world, "update stories set copy = 'loaded'")
    run_as_loader(world, "truncate story_views")
    assert world.all("select distinct copy from stories") == [("loaded",)]


@pytest.mark.parametrize("role", ["authenticated", SERVICE])
def test_an_api_session_that_calls_itself_the_loader_does_not(world: World, role: str) -> None:
    made = fill(world)
    world.freeze()
    says_so = "set migration.writer = 'on'; "
    refusal(world, role, made["account"], f"{says_so} update public.storytellers set bio = 'x'")
    refusal(world, AUTH_ADMIN, None, f"{says_so} delete from auth.users")


def test_its_end_lifts_it(world: World) -> None:
    fill(world)
    world.freeze("2020-01-01T00:00Z")
    assert world.do("update stories set copy = 'x'") == 3
    assert world.ask("anon", None, "select public.maintenance_state()") == {"frozen": False}


def test_no_api_role_lifts_it(world: World) -> None:
    world.freeze()
    for role in ("anon", "authenticated", SERVICE, AUTH_ADMIN):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), world.session(role) as conn:
            conn.execute("update migration.maintenance set frozen = false")


def test_a_freeze_says_why(world: World) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        world.do("update migration.maintenance set frozen = true")
