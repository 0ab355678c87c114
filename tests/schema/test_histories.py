"""Histories that triggers write: a story's words before each change, and what became of a consent."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from tests.schema.world import SERVICE, World, in_background, run_as_loader


def versions(world: World) -> list[tuple[object, ...]]:
    return world.all("select version, title, copy, transcript from story_versions order by version")


def test_every_change_of_words_keeps_what_was_there(world: World) -> None:
    story = world.story(world.storyteller(), title="One", copy="a", transcript="x")
    account = world.account()
    world.do("update storytellers set profile_id = %s", account)
    world.do("update stories set title = 'Two'")
    with world.session("authenticated", account) as conn:
        conn.execute("update public.stories set copy = 'b' where id = %s", (story,))
    run_as_loader(world, "update stories set transcript = 'y'")
    with world.session(SERVICE) as conn:
        conn.execute("update public.stories set copy = null")
    assert versions(world) == [
        (1, "One", "a", "x"),
        (2, "Two", "a", "x"),
        (3, "Two", "b", "x"),
        (4, "Two", "b", "y"),
    ]
    assert world.one("select replaced_by from story_versions where version = 2") == account


def test_a_change_of_anything_else_keeps_nothing(world: World) -> None:
    world.story(world.storyteller(), title="One")
    world.do(
        "update stories set title = 'One', copy = copy, video_url = 'https://example.org', privacy = 'private'"
    )
    assert versions(world) == []


def test_two_sessions_number_without_gap_or_double(world: World) -> None:
    story = world.story(world.storyteller(), title="One")
    change = "update public.stories set title = %s where id = %s"
    with world.session(SERVICE) as first, world.session(SERVICE) as second:
        first.execute(change, ("Two", story))
        waiting = in_background(world, second, lambda: second.execute(change, ("Three", story)))
        first.commit()
        waiting.join()
    assert [row[:2] for row in versions(world)] == [(1, "One"), (2, "Two")]
    with world.session(SERVICE) as first:
        first.execute(change, ("Four", story))
        first.rollback()
    world.do(change, "Five", story)
    assert [row[:2] for row in versions(world)] == [(1, "One"), (2, "Two"), (3, "Three")]


def test_versions_are_read_by_the_storytellers_only(world: World) -> None:
    community, organisation = world.community(), world.organisation()
    accounts = {
        name: world.account(name) for name in ("author", "co-author", "elder", "outsider", "administrator")
    }
    author, co_author = (world.storyteller(n, account=accounts[n]) for n in ("author", "co-author"))
    world.member(community, accounts["elder"], "elder")
    world.row(
        "organisation_members",
        organisation_id=organisation,
        profile_id=accounts["administrator"],
        role="owner",
    )
    story = world.story(author, co_author, community_id=community, organisation_id=organisation)
    world.row("elder_review_queue", story_id=story)
    world.do("update stories set copy = 'words'")
    seen = {
        name: world.ask("authenticated", account, "select count(*) from public.story_versions")
        for name, account in accounts.items()
    }
    assert seen == {"author": 1, "co-author": 1, "elder": 0, "outsider": 0, "administrator": 0}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.ask("anon", None, "select count(*) from public.story_versions")


def test_nobody_writes_a_version_or_a_consent_event(world: World) -> None:
    account = world.account()
    world.story(world.storyteller(account=account))
    for role in ("authenticated", SERVICE):
        for statement in (
            "update public.story_versions set title = ''",
            "delete from public.story_versions",
            "insert into public.story_versions (story_id, version) select id, 1 from public.stories",
            "update public.consent_events set event = 'given'",
            "delete from public.consent_events",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), world.session(role, account) as conn:
                conn.execute(statement.encode())


def test_a_consents_history_is_complete(world: World) -> None:
    account = world.account()
    person = world.storyteller(account=account, consents=())
    with world.session("authenticated", account) as conn:
        conn.execute(
            "insert into public.consents (storyteller_id, purpose, state, evidence_kind) "
            "values (%s, 'public_sharing', 'given', 'app')",
            (person,),
        )
        conn.execute("update public.consents set expires_at = '2030-01-01'")
        conn.execute("update public.consents set state = 'withdrawn', expires_at = null")
        conn.execute("update public.consents set state = 'given'")
    run_as_loader(world, "update consents set source_deleted_at = now()")
    run_as_loader(world, "update consents set source_deleted_at = null")
    world.do("update consents set evidence = 'folder 3'")
    world.do("update consents set evidence = 'folder 3', recorded_by = null")
    world.do("delete from consents")
    rows = world.all(
        "select event, expires_at is not null, who from consent_events order by xmin::text::bigint, cmin::text::int"
    )
    assert rows == [
        ("given", False, account),
        ("changed", True, account),
        ("withdrawn", False, account),
        ("given", False, account),
        ("source_gone", False, None),
        ("changed", False, None),
        ("changed", False, None),
        ("deleted", False, None),
    ]


def test_consent_events_are_read_by_the_person_only(world: World) -> None:
    account, other = world.account(), world.account()
    world.storyteller(account=account, consents=("public_sharing",))
    world.storyteller("Other", account=other, consents=())
    count = "select count(*) from public.consent_events"
    assert world.ask("authenticated", account, count) == 1
    assert world.ask("authenticated", other, count) == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.ask("anon", None, count)


def test_new_words_need_a_new_review(world: World) -> None:
    """The elders approved other words; a change of anything else leaves their decision."""
    story = world.story(world.storyteller(), title="One")
    world.row("elder_review_queue", story_id=story, state="approved", decided_at="2026-01-01")
    world.do("update stories set video_url = 'https://example.org'")
    assert world.one("select state from elder_review_queue") == "approved"
    world.do("update stories set copy = 'other words'")
    assert world.all("select state, decided_at from elder_review_queue") == [("pending", None)]


PAST, LATER = "2026-01-01 00:00+00", "2999-01-01 00:00+00"
EVENTS = "select event, at = expires_at from consent_events order by xmin::text::bigint, cmin::text::int"


def test_an_expiry_is_recorded_once_with_its_moment(world: World) -> None:
    person = world.storyteller(consents=())
    due = {"storyteller_id": person, "state": "given", "evidence_kind": "form", "expires_at": PAST}
    consent = world.row("consents", purpose="public_sharing", **due)
    world.row("consents", purpose="ai_analysis", **{**due, "expires_at": LATER})
    world.row("consents", purpose="commercial_use", **{**due, "state": "withdrawn"})
    assert world.one("select private.record_expiries()") == 1
    assert world.one("select private.record_expiries()") == 0
    assert world.all("select consent_id, at from consent_events where event = 'expired'") == [
        (consent, datetime(2026, 1, 1, tzinfo=UTC))
    ]


def test_a_change_after_the_end_leaves_the_expiry_in_the_history(world: World) -> None:
    """Renewed before anybody had recorded that it ended."""
    person = world.storyteller(consents=())
    consent = world.row(
        "consents", storyteller_id=person, purpose="public_sharing", state="given", evidence_kind="form",
        expires_at=PAST,
    )  # fmt: skip
    world.do("update consents set expires_at = %s where id = %s", LATER, consent)
    assert world.one("select private.record_expiries()") == 0
    world.do("update consents set expires_at = %s where id = %s", PAST, consent)
    world.do("delete from consents where id = %s", consent)
    events = [event for event, _ in world.all(EVENTS)]
    assert events == ["given", "expired", "changed", "changed", "deleted"]


def test_an_expiry_that_comes_again_under_another_date_is_another_event(world: World) -> None:
    person = world.storyteller(consents=())
    consent = world.row(
        "consents", storyteller_id=person, purpose="public_sharing", state="given", evidence_kind="form",
        expires_at=PAST,
    )  # fmt: skip
    world.do("update consents set expires_at = '2026-02-01' where id = %s", consent)
    assert world.one("select private.record_expiries()") == 1
    assert [event for event, _ in world.all(EVENTS)] == ["given", "expired", "changed", "expired"]
