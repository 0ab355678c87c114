"""What a restore must never do to people: bring back the erased, the withdrawn, or accounts that are gone; touch others."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from ledger_assets.backup.merge import EXACT, LOST, Erased, Mode, preview, undo
from ledger_assets.errors import TargetError
from tests.backup.merge.pair import Pair
from tests.schema.world import World, places_of

PERSON = "recPerson1"


def person(pair: Pair, record: str = PERSON) -> uuid.UUID:
    found = pair.world.one("select id from public.storytellers where airtable_record_id = %s", record)
    assert isinstance(found, uuid.UUID)
    return found


def erase(pair: Pair, who: uuid.UUID) -> None:
    request = pair.world.row("erasure_requests", scope="storyteller", storyteller_id=who)
    pair.world.one("select private.erase(%s)", request)


def test_everything_of_one_person_comes_back_and_nothing_of_others(pair: Pair) -> None:
    pair.world.do("truncate public.stories cascade")
    pair.damage("update public.storytellers set bio = 'vandalised'")
    before = pair.contents()
    pair.apply(Mode.of_storyteller(PERSON))
    ids = [row[0] for row in pair.world.all("select title from public.stories order by 1")]
    assert ids == ["Told by 1", "Told together"]
    assert (
        pair.world.one("select count(*) from public.storytellers where bio = 'vandalised'")
        == len(before["public.storytellers"]) - 1
    )
    assert pair.world.one("select count(*) from public.story_comments") == 2
    assert pair.world.one("select count(*) from public.authorship") == 3
    assert pair.contents()["public.value_events"] == before["public.value_events"]


def test_a_person_is_restored_exactly_and_others_words_stay(pair: Pair) -> None:
    who = person(pair)
    story = pair.world.one("select id from public.stories where title = 'Told by 1'")
    together = pair.world.one("select id from public.stories where title = 'Told together'")
    account = pair.world.one("select id from public.profiles limit 1")
    newer = pair.world.story(who, title="Newer")
    comment = pair.world.row("story_comments", story_id=story, profile_id=account, body="newer, of another")
    pair.damage("update public.stories set copy = 'vandalised' where id in (%s, %s)", story, together)
    pair.damage("update public.quotes set quote = 'vandalised'")
    pair.apply(Mode.of_storyteller(who))
    assert pair.world.one("select count(*) from public.stories where copy = 'vandalised'") == 0
    assert pair.world.one("select count(*) from public.stories where id = %s", newer) == 0
    assert pair.world.one("select count(*) from public.story_comments where id = %s", comment) == 1
    assert pair.world.all("select quote from public.quotes where storyteller_id = %s", who) == [("said 1",)]
    assert pair.world.one("select count(*) from public.quotes where quote = 'vandalised'") == 3


def test_what_a_person_stands_on_comes_back_with_them(pair: Pair) -> None:
    organisation = pair.scratch.execute("select id from public.organisations").fetchone()
    pair.scratch.rollback()
    for conn in (pair.scratch, pair.live):
        with conn.transaction():
            conn.execute(
                "update public.storytellers set organisation_id = %s where airtable_record_id = %s",
                (organisation and organisation[0], PERSON),
            )
    pair.world.do("truncate public.organisations cascade")
    pair.apply(Mode.of_storyteller(PERSON))
    assert pair.world.all("select name from public.organisations") == [("The Archive",)]
    # And who told a story with them: without that person it would open by one consent alone.
    assert pair.world.all("select airtable_record_id from public.storytellers order by 1") == [
        ("recPerson0",),
        (PERSON,),
    ]


@pytest.mark.parametrize("mode", [LOST, EXACT, Mode.of_storyteller(PERSON)])
def test_a_snapshot_that_still_holds_an_erased_person_is_refused(pair: Pair, mode: Mode) -> None:
    erase(pair, person(pair))
    before = pair.contents(without=())
    with pytest.raises(TargetError, match=r"had erased.*recPerson1"):
        pair.apply(mode)
    assert pair.contents(without=()) == before


def test_an_erased_person_without_a_record_is_found_by_the_audit(pair: Pair) -> None:
    who = pair.world.one("select id from public.storytellers where name = 'Unclaimed'")
    erase(pair, who)
    with pytest.raises(TargetError, match=f"had erased.*storytellers {who}"):
        pair.apply(LOST)


def test_whom_the_list_of_erasures_names_is_refused_too(pair: Pair) -> None:
    pair.damage("truncate public.stories cascade")
    who = pair.scratch.execute(
        "select id from public.storytellers where airtable_record_id = %s", (PERSON,)
    ).fetchone()
    pair.scratch.rollback()
    assert who is not None
    with pytest.raises(TargetError, match="had erased"):
        pair.apply(LOST, erased=Erased(records=frozenset({("appOne", "tblStories", "rec00000000000003")})))


def test_a_purged_snapshot_brings_back_the_others(pair: Pair) -> None:
    erase(pair, person(pair))
    with pair.scratch.transaction():
        pair.scratch.execute(
            "insert into public.erasure_requests (id, scope, storyteller_id) select %s, 'storyteller', id "
            "from public.storytellers where airtable_record_id = %s",
            ("00000000-0000-0000-0000-0000000000aa", PERSON),
        )
        pair.scratch.execute("select private.erase('00000000-0000-0000-0000-0000000000aa')")
    pair.world.do("truncate public.stories cascade")
    pair.apply(LOST)
    titles = [row[0] for row in pair.world.all("select title from public.stories order by 1")]
    assert "Told by 0" in titles
    assert "Told by 1" not in titles
    assert places_of(pair.world, "spoken 1") == []


def test_a_withdrawn_consent_stays_withdrawn(pair: Pair) -> None:
    who = person(pair)
    pair.world.do(
        "update public.consents set state = 'withdrawn' where storyteller_id = %s and purpose = 'public_sharing'",
        who,
    )
    story = pair.world.one("select id from public.stories where title = 'Told by 1'")
    assert pair.world.one("select eff_limits from public.stories where id = %s", story) == 4
    told = pair.apply(EXACT).preview
    assert len(told.withdrawals_kept) == 1
    assert pair.world.one("select eff_limits from public.stories where id = %s", story) == 4
    assert (
        pair.world.one(
            "select count(*) from public.consents where state = 'withdrawn' and storyteller_id = %s", who
        )
        == 1
    )


def test_a_withdrawn_consent_whose_row_was_lost_comes_back_withdrawn(pair: Pair) -> None:
    who = person(pair)
    pair.world.do(
        "update public.consents set state = 'withdrawn' where storyteller_id = %s and purpose = 'public_sharing'",
        who,
    )
    pair.world.do("truncate public.stories cascade")
    assert pair.world.one("select count(*) from public.consents") == 0
    told = pair.apply(LOST).preview
    assert len(told.withdrawals_kept) == 1
    query = "select state from public.consents where storyteller_id = %s and purpose = 'public_sharing'"
    assert pair.world.one(query, who) == "withdrawn"
    assert pair.world.one("select eff_limits from public.stories where title = 'Told by 1'") == 4
    assert pair.world.one("select eff_limits from public.stories where title = 'Told by 0'") == 0


def test_a_consent_given_again_after_its_withdrawal_is_given(pair: Pair) -> None:
    who = person(pair)
    for state in ("withdrawn", "given"):
        pair.world.do("update public.consents set state = %s where storyteller_id = %s", state, who)
    pair.world.do("truncate public.stories cascade")
    assert pair.apply(LOST).preview.withdrawals_kept == ()
    assert pair.world.one("select count(*) from public.consents where state = 'withdrawn'") == 0


def test_an_image_that_is_gone_beside_its_line_stays_gone(pair: Pair) -> None:
    pair.damage("delete from audit.images where table_name = 'stories'")
    left = pair.contents()["audit.images"]
    for mode in (LOST, EXACT):
        pair.apply(mode)
        assert pair.contents()["audit.images"] == left


def test_an_account_that_is_gone_stays_gone(pair: Pair) -> None:
    other = pair.world.one("select profile_id from public.story_comments limit 1")
    with psycopg.connect(pair.world.admin_url) as admin:
        admin.execute("delete from auth.users where id = %s", (other,))
    pair.world.do("truncate public.stories cascade")
    done = pair.apply(LOST)
    assert done.preview.accounts_gone == 1
    assert pair.world.one("select count(*) from public.profiles where id = %s", other) == 0
    assert pair.world.one("select count(*) from public.story_comments") == 0
    assert pair.world.one("select count(*) from public.stories") == 7
    assert places_of(pair.world, "comment 1") == []
    pair.apply(EXACT)
    assert pair.world.one("select count(*) from public.profiles where id = %s", other) == 0


def test_an_erasure_takes_the_way_back_s_rows_too(pair: Pair) -> None:
    pair.damage("update public.stories set copy = 'canary words' where title = 'Told by 1'")
    pair.damage("update public.interviews set transcript = 'canary words' where transcript = 'spoken 1'")
    pair.damage("update public.quotes set quote = 'canary of another' where quote = 'said 0'")
    newer = pair.world.story(person(pair), title="canary words of a newer one")
    done = pair.apply(EXACT)
    assert "migration.undo_rows" in places_of(pair.world, "canary words")
    assert pair.world.one("select count(*) from public.stories where id = %s", newer) == 0
    erase(pair, person(pair))
    assert places_of(pair.world, "canary words") == []
    assert "migration.undo_rows" in places_of(pair.world, "canary of another")
    undo(pair.live, done.undo_id, who="a tester")
    assert places_of(pair.world, "canary words") == []
    assert pair.world.one("select count(*) from public.quotes where quote = 'canary of another'") == 1


def test_a_deleted_account_takes_the_way_back_s_rows_too(pair: Pair) -> None:
    other = pair.world.one("select profile_id from public.story_comments limit 1")
    pair.damage("update public.profiles set bio = 'canary words' where id = %s", other)
    pair.damage("update public.story_comments set body = 'canary words' where profile_id = %s", other)
    pair.apply(EXACT)
    with psycopg.connect(pair.world.admin_url) as admin:
        admin.execute("delete from auth.users where id = %s", (other,))
    assert places_of(pair.world, "canary words") == []


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
@pytest.mark.parametrize("table", ["undo", "undo_rows"])
def test_no_api_role_reads_what_is_kept(pair: Pair, role: str, table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        pair.world.ask(role, None, f"select count(*) from migration.{table}")


def test_a_preview_says_what_the_restore_does_and_changes_nothing(pair: Pair) -> None:
    pair.damage("truncate public.stories cascade")
    pair.damage("update public.storytellers set bio = 'vandalised'")
    before = pair.contents(without=())
    told = preview(pair.scratch, pair.live, EXACT)
    assert pair.contents(without=()) == before
    assert pair.apply(EXACT).preview == told
    stories = next(change for change in told.changes if change.table == "public.stories")
    assert (stories.missing, stories.inserted, stories.deleted) == (7, 7, 0)
    assert "recTogether" in stories.ids["missing"]
    assert not any("vandalised" in line or "words" in line for line in told.lines())


CLOSED = (
    "select t.privacy, t.sensitive, t.show_photo, s.privacy, s.status, s.sensitivity from public.storytellers t, "
    "public.stories s where t.airtable_record_id = %s and s.title = 'Told by 1'"
)


def opened(pair: Pair) -> None:
    """As in the snapshot: the person and the story open to everybody."""
    for world in (pair.world, World(pair.scratch, "")):
        world.do("update public.storytellers set privacy = 'public', sensitive = false, show_photo = true")
        world.do(
            "update public.stories set privacy = 'public', status = 'published', published_at = now(), "
            "sensitivity = 'standard'"
        )
    pair.scratch.commit()


@pytest.mark.parametrize("mode", [EXACT, Mode.of_storyteller(PERSON), Mode.of_table("storytellers")])
@pytest.mark.parametrize("lost", [False, True])
def test_what_people_closed_since_does_not_come_back_open(pair: Pair, mode: Mode, lost: bool) -> None:
    """A circle made smaller is a withdrawal, too; also where the row itself was lost afterwards."""
    opened(pair)
    pair.world.do(
        "update public.storytellers set privacy = 'private', sensitive = true, show_photo = false, bio = 'other' "
        "where airtable_record_id = %s",
        PERSON,
    )
    pair.world.do(
        "update public.stories set privacy = 'community', status = 'archived', published_at = null, sensitivity = 'sacred', "
        "copy = 'vandalised' where title = 'Told by 1'"
    )
    if lost:
        pair.world.do("truncate public.stories cascade")
    before = pair.contents()
    done = pair.apply(EXACT if lost else mode)
    assert (
        pair.world.one("select bio from public.storytellers where airtable_record_id = %s", PERSON) != "other"
    )
    (found,) = pair.world.all(CLOSED, PERSON)
    assert found == ("private", True, False, "community", "archived", "sacred")
    assert done.preview.narrowed_kept
    assert pair.world.one("select count(*) from private.visibility_drift") == 0
    undo(pair.live, done.undo_id, who="test")
    assert pair.contents() == before


def test_what_was_opened_since_comes_back_as_narrow_as_it_was(pair: Pair) -> None:
    World(pair.scratch, "").do("update public.storytellers set privacy = 'private', show_name = false")
    pair.scratch.commit()
    pair.damage("update public.storytellers set privacy = 'public', show_name = true")
    pair.apply(EXACT)
    opened_again = "select count(*) from public.storytellers where privacy <> 'private' or show_name"
    assert pair.world.one(opened_again) == 0
