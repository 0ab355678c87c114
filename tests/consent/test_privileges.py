"""Nobody but the triggers writes what the rule's result is kept in, and nobody passes for the loader."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster
from tests.consent.hand import Hand
from tests.consent.oracle import ANON, SERVICE
from tests.consent.seen import differences, login
from tests.consent.world import ACCOUNTS, Consent, Person, open_world, uid

KEPT = ("eff_limits", "eff_until", "eff_ai_until")
ROLES = ("anon", "authenticated", "service_role")


@pytest.fixture
def hand(furnished: psycopg.Connection) -> Iterator[Hand]:
    """The open world, rolled back."""
    hand = Hand(furnished)
    hand.all_of(open_world())
    yield hand
    furnished.rollback()


@pytest.mark.parametrize("column", [*KEPT, "locally_changed"])
@pytest.mark.parametrize("reader", [ANON, SERVICE, ACCOUNTS[0]])
def test_no_api_role_writes_what_only_triggers_keep(hand: Hand, reader: str, column: str) -> None:
    role, _ = login(reader)
    for statement in (
        f"update public.stories set {column} = default",
        f"insert into public.stories (id, {column}) values (gen_random_uuid(), default)",
        f"insert into public.stories (id) values ('{uid('story', 1)}') on conflict (id) do update set {column} = default",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), hand.connection.transaction():
            hand.connection.execute(f"set local role {role}; {statement}".encode())


def test_no_api_role_may_refresh_or_pretend_a_refresh(furnished: psycopg.Connection) -> None:
    rows = furnished.execute(
        "select r.role, p.oid::regprocedure::text from unnest(%s::text[]) r (role), pg_proc p "
        "where p.pronamespace = 'private'::regnamespace and has_function_privilege(r.role, p.oid, 'execute') "
        "and (p.proname like 'refresh%%' or p.proname in ('publish_story', 'obstacles') "
        "or p.prorettype = 'trigger'::regtype)",
        (list(ROLES),),
    ).fetchall()
    assert rows == []


def test_whoever_clears_the_mark_of_a_local_change_sets_it(hand: Hand) -> None:
    """Everywhere that the column stands: a load must not overwrite what people changed."""
    tables = [
        row[0]
        for row in hand.connection.execute(
            "select c.relname from pg_attribute a join pg_class c on c.oid = a.attrelid where a.attname = 'locally_changed' "
            "and c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'stories' order by 1"
        )
    ]
    filled = 0
    for table in tables:
        with hand.connection.transaction(force_rollback=True):
            hand.connection.execute("set local role service_role")
            done = hand.connection.execute(
                f"update public.{table} set locally_changed = false returning locally_changed"
            )
            marks = {row[0] for row in done}
        filled += bool(marks)
        assert marks <= {True}, table
        row = hand.connection.execute(
            "select count(*) from pg_trigger where tgrelid = %s::regclass and tgenabled = 'O' "
            "and tgname in ('mark_local_insert', 'mark_local_update')",
            (f"public.{table}",),
        ).fetchone()
        assert row == (2,), table
    assert filled >= 8


def test_the_api_cannot_pass_for_the_loader(cluster: Cluster, furnished_url: str) -> None:
    """The service role may say ``migration.writer`` as loudly as it likes: the triggers fire."""
    database = psycopg.conninfo.conninfo_to_dict(furnished_url)["dbname"]
    with psycopg.connect(cluster.admin_url(str(database))) as connection:
        connection.execute("set session authorization authenticator")
        connection.execute("set local role service_role")
        connection.execute("set local migration.writer = 'on'")
        hand = Hand(connection)
        hand.person(1, Person())
        hand.run(
            "insert into public.stories (id, title, status, published_at, privacy) "
            "values ({id}, 't', 'published', now(), 'public')",
            id=uid("story", 1),
        )
        hand.tie("authorship", 1, 1)
        hand.consent((1, "public_sharing", None, "form"), Consent())
        connection.execute("reset session authorization")
        assert connection.execute("select eff_limits from public.stories").fetchall() == [(0,)]
        connection.execute("set session authorization authenticator")
        connection.execute("set local role service_role")
        hand.consent((1, "public_sharing", None, "form"), Consent("withdrawn"))
        connection.execute("reset session authorization")
        assert connection.execute("select eff_limits from public.stories").fetchall() == [(4,)]
        assert connection.execute("select count(*) from private.visibility_drift").fetchone() == (0,)
        connection.rollback()


def test_a_person_s_own_withdrawal_takes_effect_at_once(hand: Hand) -> None:
    """As the app does it: the person's account adds a withdrawal beside whatever evidence there is."""
    role, claims = login(ACCOUNTS[0])
    hand.connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
    hand.connection.execute(
        f"set local role {role}; "
        "insert into public.consents (storyteller_id, purpose, state, evidence_kind, story_id) "
        f"values ('{uid('person', 1)}', 'public_sharing', 'withdrawn', 'app', '{uid('story', 1)}'); reset role".encode()
    )
    hand.world.consents[1, "public_sharing", 1, "form"] = Consent("withdrawn")
    assert differences(hand.connection, hand.world) == []
