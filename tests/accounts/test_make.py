"""Accounts are made for whom they may be made, linked, and show nothing more; again makes nothing."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

import pytest

from ledger_assets import events, writing
from ledger_assets.accounts import mailboxes, plan
from ledger_assets.accounts.make import CLAIMED, DISPLAY_NAME
from ledger_assets.errors import SettingsError, TargetError
from tests.accounts.conftest import DOMAIN, People
from tests.schema.world import places_of


def seen(people: People, account: UUID | None) -> dict[str, list[Any]]:
    """What that session sees of everything that a link could widen."""
    role = "authenticated" if account else "anon"
    with people.world.session(role, account) as conn:
        found = {
            table: sorted(str(row["id"]) for row in conn.execute(f"select id from public.{table}".encode()))
            for table in ("stories", "quotes", "media_assets", "authorship")
        }
        cards = conn.execute("select public.storyteller_cards(null, null, 100, null) as cards").fetchone()
        assert cards is not None
        return {**found, "cards": [str(cards["cards"])]}


def test_the_holder_signs_in_and_sees_their_own_and_after_the_way_back_nothing(either: People) -> None:
    mine, theirs = (
        either.teller(f"nora@{DOMAIN}", privacy="private"),
        either.teller(f"kim@{DOMAIN}", privacy="private"),
    )
    assert either.make().made == 2
    account = either.account(mine)
    assert account is not None
    (story,) = either.world.all("select story_id from authorship where storyteller_id = %s", mine)[0]
    assert either.world.ask("authenticated", account, "select private.my_stories()") == [story]
    assert either.world.ask("authenticated", account, "select array_agg(id) from storytellers") == [mine]
    assert either.world.ask("authenticated", account, "select array_agg(id) from stories") == [story]
    assert either.world.ask(
        "authenticated", either.account(theirs), "select array_agg(id) from storytellers"
    ) == [theirs]

    assert either.take_back().disabled == 2
    assert either.world.ask("authenticated", account, "select private.my_stories()") == []
    assert either.world.ask("authenticated", account, "select count(*) from storytellers") == 0
    assert either.world.ask("authenticated", account, "select count(*) from stories") == 0
    assert either.active() == []


def test_nothing_is_published_and_nothing_more_is_shown(either: People) -> None:
    hidden, shown = (
        either.teller(f"nora@{DOMAIN}", privacy="private"),
        either.teller(f"kim@{DOMAIN}", show_name=True),
    )
    other = either.world.account()
    columns = "id, privacy, show_name, show_photo, show_bio, locally_changed, source_hash"
    stories = "select to_jsonb(s)::text from stories s order by id"
    before = [
        seen(either, None),
        seen(either, other),
        either.world.all(f"select {columns} from storytellers order by id"),
        either.world.all(stories),
    ]
    either.make()
    assert None not in (either.account(hidden), either.account(shown))
    assert before == [
        seen(either, None),
        seen(either, other),
        either.world.all(f"select {columns} from storytellers order by id"),
        either.world.all(stories),
    ]
    assert either.world.all("select distinct display_name from profiles where id <> %s", other) == [
        (DISPLAY_NAME,)
    ]


def test_again_makes_nothing_and_asks_for_nothing_to_be_changed(either: People) -> None:
    either.teller(f"nora@{DOMAIN}")
    assert either.make().made == 1
    accounts = either.world.all("select to_jsonb(u)::text from auth.users u")
    log = either.world.one("select count(*) from audit.log")
    if either.auth is not None:
        either.auth.calls.clear()
    again = either.make()
    assert (again.made, again.codes) == (0, {})
    assert again.nothing[plan.HAS_ONE]
    assert either.world.all("select to_jsonb(u)::text from auth.users u") == accounts
    assert either.world.one("select count(*) from audit.log") == log
    if either.auth is not None:
        assert {method for method, _ in either.auth.calls} == {"GET"}


def test_who_gets_an_account_who_a_code_and_who_neither(either: People) -> None:
    either.stranger(f"taken@{DOMAIN}")
    wanted = {
        "account": either.teller(f"  Nora.Invented@{DOMAIN.upper()} "),
        mailboxes.NO_ADDRESS: either.teller(),
        mailboxes.INVALID: either.teller(f"nora@{DOMAIN}, kim@{DOMAIN}"),
        mailboxes.PLACEHOLDER: either.teller("nora@example.org"),
        mailboxes.SHARED: either.teller(f"office@{DOMAIN}"),
        plan.TAKEN: either.teller(f"Taken@{DOMAIN}"),
        plan.DECEASED: either.teller(f"dead@{DOMAIN}", deceased=True),
        plan.GONE: either.teller(f"gone@{DOMAIN}", source_deleted_at="2026-01-01"),
    }
    twins = [either.teller(f"twins@{DOMAIN}"), either.teller(f"twins+b@{DOMAIN}")]
    claimed = either.teller(f"claimed@{DOMAIN}")
    either.world.do("update storytellers set profile_id = %s where id = %s", either.world.account(), claimed)

    tried = either.make(dry_run=True)
    assert either.world.all("select * from migration.accounts") == []
    made = either.make()
    assert (tried.made, tried.codes, tried.nothing) == (1, made.codes, made.nothing)
    assert (made.made, either.state(wanted["account"])) == (1, "linked")
    assert either.active().count(f"nora.invented@{DOMAIN}") == 1
    name = either.name
    assert made.codes == {
        **{
            why: [name(wanted[why])]
            for why in (mailboxes.NO_ADDRESS, mailboxes.INVALID, mailboxes.PLACEHOLDER)
        },
        **{why: [name(wanted[why])] for why in (mailboxes.SHARED, plan.TAKEN)},
        mailboxes.REPEATED: [n for n in made.codes[mailboxes.REPEATED] if n in map(name, twins)],
    }
    assert len(made.codes[mailboxes.REPEATED]) == 2
    assert made.nothing == {
        plan.DECEASED: [name(wanted[plan.DECEASED])],
        plan.GONE: [name(wanted[plan.GONE])],
        plan.HAS_ONE: [name(claimed)],
    }
    assert either.world.one("select count(*) from migration.accounts") == 1


def test_an_address_shared_with_the_dead_or_the_gone_is_nobodys(plain: People) -> None:
    plain.teller(f"nora@{DOMAIN}")
    plain.teller(f"nora@{DOMAIN}", deceased=True)
    made = plain.make()
    assert made.made == 0
    assert len(made.codes[mailboxes.REPEATED]) == 1


def test_no_address_and_no_name_leaves_the_tables_that_hold_it(either: People) -> None:
    person = either.teller(f"nora.zyzzyva@{DOMAIN}")
    either.teller(f"office.zyzzyva@{DOMAIN}", deceased=True)
    before = places_of(either.world, "zyzzyva")
    either.make()
    either.take_back()
    assert sorted([*before, "auth.users"]) == sorted(places_of(either.world, "zyzzyva"))
    told = either.world.all(
        "select action, outcome, who, run_id, detail::text from migration.events order by event_id"
    )
    assert [(row[0], row[1], row[2], row[3]) for row in told] == [
        ("accounts_make", "begun", "a tester", "run-1"),
        ("accounts_make", "done", "a tester", "run-1"),
        ("accounts_disable", "begun", "a tester", "run-2"),
        ("accounts_disable", "done", "a tester", "run-2"),
    ]
    assert not any("Invented" in row[4] or "@" in row[4] for row in told)
    assert either.state(person) == "disabled"


def test_who_was_erased_gets_no_account_and_an_unused_one_goes(either: People) -> None:
    unused, used, none = (either.teller(f"{name}@{DOMAIN}") for name in ("unused", "used", "none"))
    erase = "insert into erasure_requests (storyteller_id, requested_by, scope) values (%s, %s, 'storyteller') returning id"
    by = either.world.account()

    def erased(person: UUID) -> None:
        either.world.do("select private.erase(%s)", either.world.one(erase, person, by))

    erased(none)
    assert either.make().made == 2
    either.world.do("update auth.users set last_sign_in_at = now() where email = %s", f"used@{DOMAIN}")
    erased(unused)
    erased(used)
    made = either.make()
    assert (made.made, made.erased, made.erased_used) == (0, 1, (str(used),))
    assert [email for email in either.active() if email.endswith(DOMAIN)] == [f"used@{DOMAIN}"]
    assert (either.state(unused), either.make().erased) == ("deleted", 0)


def test_a_storyteller_who_is_kept_for_the_books_after_the_erasure_gets_none(plain: People) -> None:
    person = plain.teller(f"nora@{DOMAIN}")
    event = plain.world.row("value_events", kind="grant_funded", amount=10, currency="AUD")
    with plain.conn.transaction():
        plain.world.row(
            "value_distributions", event_id=event, recipient="storyteller", storyteller_id=person, amount=10
        )
    request = plain.world.row(
        "erasure_requests", scope="storyteller", storyteller_id=person, requested_by=plain.world.account()
    )
    plain.world.do("select private.erase(%s)", request)
    assert plain.world.one("select name from storytellers where id = %s", person) == "(erased)"
    made = plain.make()
    assert (made.made, made.codes, made.nothing) == (0, {}, {})


def test_a_link_that_was_taken_away_by_hand_is_not_made_again(either: People) -> None:
    person = either.teller(f"nora@{DOMAIN}")
    either.make()
    either.world.do("update storytellers set profile_id = null where id = %s", person)
    again = either.make()
    assert (again.made, again.nothing) == (0, {plan.UNLINKED: [either.name(person)]})
    assert either.account(person) is None


def test_an_account_that_its_holder_deleted_is_not_made_again(either: People) -> None:
    person = either.teller(f"nora@{DOMAIN}")
    either.make()
    either.world.do("delete from auth.users where id = %s", either.account(person))
    again = either.make()
    assert (again.made, again.codes) == (0, {plan.OWN_DELETED: [either.name(person)]})


def test_an_address_that_was_corrected_since_is_told(either: People) -> None:
    person = either.teller(f"nora@{DOMAIN}")
    either.make()
    either.world.do("update storyteller_contacts set email = %s", f"nora.new@{DOMAIN}")
    assert either.make().nothing == {plan.MOVED: [either.name(person)]}


def test_what_was_disabled_is_made_whole_again(either: People) -> None:
    person = either.teller(f"nora@{DOMAIN}")
    either.make()
    account = either.account(person)
    assert either.take_back().disabled == 1
    assert either.make().made == 1
    assert (either.account(person), either.state(person)) == (account, "linked")
    assert either.active() == [f"nora@{DOMAIN}"]


def test_a_database_that_was_restored_to_before_gets_the_same_accounts(either: People) -> None:
    person = either.teller(f"nora@{DOMAIN}")
    either.make()
    account = either.account(person)
    with either.conn.transaction():
        # As a restore does: our own table it leaves alone.
        either.world.do("update storytellers set profile_id = null")
        either.world.do("delete from profiles")
    assert either.make().made == 1
    assert either.account(person) == account


def test_a_link_that_a_restore_brought_back_is_none_until_the_account_is_enabled(either: People) -> None:
    person = either.teller(f"nora@{DOMAIN}")
    either.make()
    account = either.account(person)
    either.take_back()
    either.world.do("update storytellers set profile_id = %s where id = %s", account, person)
    assert either.active() == []
    assert either.make().made == 1
    assert (either.account(person), either.state(person)) == (account, "linked")
    assert either.active() == [f"nora@{DOMAIN}"]


def test_a_record_that_was_lost_is_found_by_the_accounts_mark(either: People) -> None:
    person = either.teller(f"nora@{DOMAIN}")
    either.make()
    account = either.account(person)
    either.world.do("delete from migration.accounts")
    either.world.do("update storytellers set profile_id = null")
    assert either.make().made == 1
    assert (either.account(person), either.active()) == (account, [f"nora@{DOMAIN}"])


def test_old_releases_of_auth_choose_the_id_themselves(project: People) -> None:
    assert project.auth is not None
    project.auth.wished_ids = False
    person = project.teller(f"nora@{DOMAIN}")
    assert project.make().made == 1
    assert project.world.one("select user_id from migration.accounts") == project.account(person)
    assert project.make().made == 0


def test_whoever_claims_the_person_meanwhile_keeps_them(project: People) -> None:
    assert project.auth is not None
    person = project.teller(f"nora@{DOMAIN}")
    claimer = project.world.account()

    def claim(_number: int) -> None:
        assert project.auth is not None
        if project.auth.calls[-1] == ("POST", "/admin/users"):
            project.world.do("update storytellers set profile_id = %s where id = %s", claimer, person)

    project.auth.after = claim
    project.conn.autocommit = False
    made = project.make()
    assert (made.made, made.codes) == (0, {CLAIMED: [project.name(person)]})
    assert (project.account(person), project.state(person)) == (claimer, "disabled")
    assert f"nora@{DOMAIN}" not in project.active()


def test_a_project_that_confirms_no_address_is_refused(project: People) -> None:
    assert project.auth is not None
    project.auth.autoconfirm = True
    project.teller(f"nora@{DOMAIN}")
    with pytest.raises(SettingsError, match="turn on Confirm email"):
        project.make()
    assert project.active() == []
    assert [event.outcome for event in events.read(project.conn)] == ["begun", "failed"]


def test_another_projects_accounts_are_refused_before_one_is_made(
    project: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project.auth is not None
    project.teller(f"nora@{DOMAIN}")
    stranger = {"id": str(uuid.uuid4()), "email": f"x@{DOMAIN}"}
    monkeypatch.setattr(
        project.auth,
        "answer",
        lambda method, path, query, body: (
            (200, {"mailer_autoconfirm": False})
            if path == "/settings"
            else (200, {"users": [stranger] * ("1" in query["page"])})
        ),
    )
    with pytest.raises(SettingsError, match="is another project's"):
        project.make()
    assert {method for method, _ in project.auth.calls} == {"GET"}


def test_an_empty_other_project_is_left_as_empty_as_it_was(
    project: People, database_url: str, empty_database_url: str
) -> None:
    assert project.auth is not None
    name = empty_database_url.rsplit("/", 1)[1].partition("?")[0]
    project.auth.database = project.auth.database.replace(project.conn.info.dbname, name)
    person = project.teller(f"nora@{DOMAIN}")
    with pytest.raises(SettingsError, match="was removed again"):
        project.make()
    assert ("POST", "/admin/users") in project.auth.calls
    assert project.auth.answer("GET", "/admin/users", {}, {})[1]["users"] == []
    assert (project.account(person), project.state(person)) == (None, None)


def test_a_wrong_key_is_told_by_its_setting(project: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_SERVICE_KEY", "sb_secret_wrong")
    with pytest.raises(SettingsError, match="SUPABASE_SERVICE_KEY is not accepted") as caught:
        project.make()
    assert "sb_secret" not in str(caught.value)


def test_a_platforms_own_accounts_are_never_written_by_hand(plain: People) -> None:
    plain.teller(f"nora@{DOMAIN}")
    with plain.world.session("supabase_auth_admin") as conn:
        conn.execute("comment on schema auth is null")
    with pytest.raises(SettingsError, match="a platform's: set SUPABASE_URL"):
        plain.make()
    assert plain.active() == []


def test_a_freeze_refuses_it_and_the_cut_over_passes(either: People) -> None:
    person = either.teller(f"nora@{DOMAIN}")
    either.world.freeze()
    with pytest.raises(TargetError, match="moving to the new archive"):
        either.make()
    assert either.account(person) is None
    assert either.make(during_freeze=True).made == 1
    account = either.account(person)
    lines = either.world.all(
        "select table_name, row_id, action, changed, run from audit.log "
        "where run = 'accounts make by a tester' order by log_id"
    )
    assert lines == [
        ("profiles", str(account), "insert", None, "accounts make by a tester"),
        ("storytellers", str(person), "update", ["profile_id"], "accounts make by a tester"),
    ]
    assert either.take_back(during_freeze=True).unlinked == 1


def test_two_at_once_are_refused(plain: People, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ledger_assets.load.connect import connect
    from ledger_assets.writing import only_one

    monkeypatch.setattr(writing, "WAIT", "100ms")
    plain.teller(f"nora@{DOMAIN}")
    with (
        connect(database_url, application_name="another") as other,
        only_one(other, "accounts"),
        pytest.raises(TargetError, match="another run is at it"),
    ):
        plain.make()
    assert plain.make().made == 1


def test_one_run_alone_is_taken_back(either: People) -> None:
    first = either.teller(f"nora@{DOMAIN}")
    either.make()
    second = either.teller(f"kim@{DOMAIN}")
    either.world.do("update migration.accounts set run_id = 'run-0'")
    either.make()
    assert either.take_back(of_run="run-1", dry_run=True).disabled == 1
    assert either.take_back(of_run="run-1").disabled == 1
    assert (either.state(first), either.state(second)) == ("linked", "disabled")
    assert either.take_back(of_run="run-1").disabled == 0
    assert either.active() == [f"nora@{DOMAIN}"]
