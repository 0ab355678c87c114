"""An erasure: no word of the person is left anywhere, and what happened can still be read."""

from __future__ import annotations

import json
from decimal import Decimal

import psycopg
import pytest

from tests.schema.telling import ERASE, erase, interview_of, person_of, request, story_of, whole_person
from tests.schema.world import SERVICE, World, places_of

WORD, OTHER = "zyzzyva", "quokka"


def test_no_word_of_an_erased_person_is_left_and_no_other_word_is_lost(world: World) -> None:
    person, _ = whole_person(world, WORD)
    whole_person(world, OTHER)
    places = places_of(world, WORD)
    assert {"public.story_versions", "airtable.records", "audit.images", "public.consent_events"} < set(
        places
    )
    others = world.one("select count(*) from audit.images where coalesce(before, after)::text ~ %s", OTHER)
    counts = erase(world, "storyteller", storyteller_id=person, reason=f"I am {WORD}")
    assert places_of(world, WORD) == []
    assert places_of(world, OTHER) == places
    assert (
        world.one("select count(*) from audit.images where coalesce(before, after)::text ~ %s", OTHER)
        == others
    )
    assert counts == {
        "stories": 1, "stories_told_with_others": 0, "interviews": 1, "quotes": 1, "themes": 1,
        "storyteller": True, "kept_for_the_books": False, "files": 2,
    }  # fmt: skip


def test_the_audit_and_the_tombstones_tell_what_was_erased(world: World) -> None:
    person, story = whole_person(world, WORD)
    records = set(world.all("select table_id, record_id from airtable.records"))
    files = set(world.all("select object_key from media_assets"))
    asked = request(world, "storyteller", storyteller_id=person)
    world.ask(SERVICE, None, ERASE, asked)
    assert (
        set(world.all("select table_id, record_id from migration.erasures where request_id = %s", asked))
        == records
    )
    assert set(world.all("select object_key from migration.erased_files")) == files
    erased = set(world.all("select table_name, row_id from audit.log where action = 'erase'"))
    assert {("storytellers", str(person)), ("stories", str(story))} < erased
    assert {name for name, _ in erased} >= {
        "quotes",
        "interviews",
        "themes",
        "consents",
        "media_assets",
        "authorship",
    }
    assert (
        world.all("select action from audit.log where table_name = 'stories' and row_id = %s", str(story))
        != []
    )
    assert world.all("select state, done_at is not null from erasure_requests") == [("done", True)]


def test_one_story_goes_and_its_person_stays(world: World) -> None:
    person = person_of(world, OTHER)
    story = story_of(world, WORD, person)
    counts = erase(world, "story", story_id=story, reason=WORD)
    assert places_of(world, WORD) == []
    assert (counts["stories"], counts["storyteller"]) == (1, False)
    assert world.one("select name from storytellers") == OTHER
    assert world.all("select event from consent_events where story_id = %s", story) == [
        ("given",),
        ("deleted",),
    ]
    assert world.all("select amount, story_id from value_events") == [(Decimal(10), None)]


def test_a_story_told_with_others_is_closed_and_kept(world: World) -> None:
    account = world.account()
    person, other = person_of(world, WORD), world.storyteller("Other", account=account)
    story = story_of(world, OTHER, person, other)
    assert world.one("select eff_limits from stories") == 0
    counts = erase(world, "storyteller", storyteller_id=person)
    assert (counts["stories"], counts["stories_told_with_others"]) == (0, 1)
    assert places_of(world, WORD) == []
    assert world.all("select id, title, status, privacy, eff_limits from stories") == [
        (story, OTHER, "archived", "private", 4)
    ]
    assert world.ask("anon", None, "select count(*) from public.stories") == 0
    assert world.ask("authenticated", account, "select count(*) from public.stories") == 1


def test_one_of_several_authors_closes_a_story_and_does_not_erase_the_others_words(world: World) -> None:
    story = story_of(world, OTHER, world.storyteller(), world.storyteller("Other"))
    counts = erase(world, "story", story_id=story)
    assert (counts["stories"], counts["stories_told_with_others"]) == (0, 1)
    assert world.all("select title, eff_limits from stories") == [(OTHER, 4)]


def test_a_story_made_from_an_interview_with_the_person_does_not_open(world: World) -> None:
    """Their own limits on it are gone with them: without a decision it would be open to everybody."""
    person = world.storyteller("Speaker", privacy="private")
    alone, together = (story_of(world, word, world.storyteller(word)) for word in ("aa", "bb"))
    interview_of(world, WORD, alone, person)
    interview_of(world, OTHER, together, world.storyteller("Third"), person)
    assert world.all("select distinct eff_limits from stories") == [(4,)]
    counts = erase(world, "storyteller", storyteller_id=person)
    assert (counts["interviews"], counts["stories_told_with_others"]) == (1, 2)
    assert world.all("select distinct status, eff_limits from stories") == [("archived", 4)]
    assert places_of(world, WORD) == []
    assert world.one("select count(*) from private.visibility_drift") == 0


def test_insights_fall_with_a_story_that_they_stood_on(world: World) -> None:
    community = world.community()
    person = person_of(world, "aa")
    stories = [story_of(world, f"story{n}", person, community_id=community) for n in range(3)]
    with world.owner.transaction():
        insight = world.row("community_insights", community_id=community, kind="k", result={"said": WORD})
        for story in stories:
            world.row("community_insight_stories", insight_id=insight, story_id=story)
    erase(world, "story", story_id=stories[0])
    assert places_of(world, WORD) == []
    assert world.one("select count(*) from community_insights") == 0


def test_paid_money_stays_on_the_books_against_a_row_without_a_person(world: World) -> None:
    person, _ = whole_person(world, WORD)
    event = world.one("select id from value_events")
    world.row(
        "value_distributions",
        event_id=event,
        recipient="storyteller",
        storyteller_id=person,
        amount=10,
        note=WORD,
    )
    counts = erase(world, "storyteller", storyteller_id=person)
    assert counts["kept_for_the_books"] is True
    assert places_of(world, WORD) == []
    assert world.all("select amount, storyteller_id from value_distributions") == [(Decimal(10), person)]
    assert world.all("select name, airtable_record_id from storytellers") == [("(erased)", None)]


def test_a_repeated_request_is_refused(world: World) -> None:
    account = world.account()
    person, story = whole_person(world, WORD, account)
    ask = "insert into public.erasure_requests (requested_by, scope, story_id) values (%s, 'story', %s)"
    with world.session("authenticated", account) as conn:
        conn.execute(ask, (account, story))
    again = world.session("authenticated", account)
    with pytest.raises(psycopg.errors.UniqueViolation, match="already_open"), again as conn:
        conn.execute(ask, (account, story))
    asked = world.one("select id from erasure_requests")
    world.ask(SERVICE, None, ERASE, asked)
    with pytest.raises(psycopg.errors.NoDataFound, match="no open erasure request"):
        world.ask(SERVICE, None, ERASE, asked)
    assert world.one("select name from storytellers where id = %s", person) == WORD


def test_what_is_erased_ends_every_open_request_for_it(world: World) -> None:
    person, story = whole_person(world, WORD)
    for account in (world.account(), world.account()):
        request(world, "story", story_id=story, requested_by=account, reason=WORD)
    erase(world, "storyteller", storyteller_id=person)
    assert world.all("select distinct state from erasure_requests") == [("done",)]
    assert places_of(world, WORD) == []


def test_an_account_is_not_erased_by_this_way(world: World) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="by deleting it"):
        erase(world, "account", requested_by=world.account())
    assert world.one("select count(*) from erasure_requests where state = 'done'") == 0


def test_people_ask_only_for_what_is_theirs_and_only_the_service_role_does_it(world: World) -> None:
    account = world.account()
    other, story = whole_person(world, WORD)
    for columns in (("storyteller", "storyteller_id", other), ("story", "story_id", story)):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            world.session("authenticated", account) as conn,
        ):
            conn.execute(
                f"insert into public.erasure_requests (requested_by, scope, {columns[1]}) values (%s, %s, %s)".encode(),
                (account, columns[0], columns[2]),
            )
    asked = request(world, "storyteller", storyteller_id=other, requested_by=account)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.ask("authenticated", account, ERASE, asked)


def test_no_lookup_of_another_record_keeps_an_erased_word(world: World) -> None:
    """Airtable repeats words in lookups, of what links there and of what links to that; other cells stay."""
    person, _ = whole_person(world, WORD)
    base, _, record = world.all(
        "select airtable_base_id, airtable_table_id, airtable_record_id from storytellers where id = %s",
        person,
    )[0]
    fields = [
        {"id": "fldLink", "type": "multipleRecordLinks"},
        {"id": "fldLookup", "type": "multipleLookupValues"},
        {"id": "fldOwn", "type": "singleLineText"},
    ]
    described = json.dumps({"tables": [{"id": "tblOther", "fields": fields}]})
    world.do(
        "insert into airtable.exports values ('e', %s, false, now(), now(), '{}') on conflict do nothing",
        base,
    )
    world.do(
        "insert into airtable.metadata values ('e', %s, %s, sha256(convert_to(%s, 'UTF8')))",
        base, described, described,
    )  # fmt: skip
    for name, linked in (("recNear", record), ("recFar", "recNear"), ("recApart", "recElsewhere")):
        word = OTHER if name == "recApart" else WORD
        cells = {"fldLink": [linked], "fldLookup": [word], "fldOwn": OTHER}
        raw = json.dumps({"id": name, "createdTime": "2025-01-01T00:00:00.000Z", "fields": cells})
        world.do(
            "insert into airtable.records values (%s, 'tblOther', %s, now(), %s, %s, '{}', sha256(convert_to(%s, 'UTF8')), "
            "sha256(convert_to(%s, 'UTF8')), 'e', 'e')",
            base, name, raw, json.dumps(cells), raw, raw,
        )  # fmt: skip
    erase(world, "storyteller", storyteller_id=person)
    assert places_of(world, WORD) == []
    left = "select record_id, fields from airtable.records where table_id = 'tblOther' order by 1"
    assert world.all(left) == [
        ("recApart", {"fldLink": ["recElsewhere"], "fldLookup": [OTHER], "fldOwn": OTHER}),
        ("recFar", {"fldLink": ["recNear"], "fldOwn": OTHER}),
        ("recNear", {"fldLink": [record], "fldOwn": OTHER}),
    ]
