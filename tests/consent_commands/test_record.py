"""``ledger-assets consent``: what a person said takes effect at once, everywhere, and what Airtable said is not touched."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from .world import SENTINEL, Command, World

Listing = Callable[..., Path]
HANGS_ON = ("stories", "authorship", "quotes", "media_assets", "story_analysis", "community_insights")
GIVEN = ("--given", "--evidence-kind", "form", "--evidence", f"folder of {SENTINEL}")


def record(command: Command, person: str, *arguments: str) -> list[str]:
    """The lines of a ``consent record`` that must succeed."""
    done = command("consent", "record", "staging", "--storyteller", person, *arguments)
    assert (done.code, done.err) == (0, "")
    return done.out.splitlines()


def published(
    world: World, command: Command, listing: Listing, *stories: str, circle: str = "public"
) -> None:
    """Publish stories that have all they need."""
    assert command("publish", "staging", "--from", listing(*((s, circle) for s in stories))).code == 0


@pytest.fixture
def shared(
    world: World, command: Command, listing: Listing
) -> tuple[str, list[str], dict[str, uuid.UUID | None]]:
    """A community with three public stories and all that hangs on them: first teller, stories, who looks."""
    community = world.community()
    people = [world.person() for _ in range(3)]
    for person in people:
        world.consent(person, "public_sharing", "ai_analysis")
    stories = [world.story(person, community_id=community) for person in people]
    insight = uuid.uuid4()
    for person, story in zip(people, stories, strict=True):
        quote = uuid.uuid4()
        world.insert(
            "quotes", id=quote, quote=SENTINEL, storyteller_id=world.ids[person], story_id=world.ids[story]
        )
        world.insert(
            "media_assets",
            id=uuid.uuid4(),
            role="story_image",
            story_id=world.ids[story],
            position=1,
            attachment_id="att1",
        )
        world.insert(
            "story_analysis",
            story_id=world.ids[story],
            kind="themes",
            result={"words": SENTINEL},
            validated_at="now",
        )
        world.run("update stories set copy = copy || ' again' where id = %s", world.ids[story])
    with world.conn.transaction():
        world.insert(
            "community_insights",
            id=insight,
            community_id=community,
            kind="themes",
            result={"w": SENTINEL},
            is_public=True,
        )
        for story in stories:
            world.insert("community_insight_stories", insight_id=insight, story_id=world.ids[story])
    member, outsider = world.account(), world.account()
    world.insert(
        "community_members", community_id=community, profile_id=member, role="elder", approved_at="now"
    )
    published(world, command, listing, *stories)
    return people[0], stories, {"anon": None, "member": member, "outsider": outsider}


def test_a_withdrawal_closes_everything_for_everybody_in_its_own_transaction(
    world: World, command: Command, shared: tuple[str, list[str], dict[str, uuid.UUID | None]]
) -> None:
    person, stories, lookers = shared
    assert all(world.sees(who, name) == 3 for who in lookers.values() for name in HANGS_ON[:-1])
    assert all(world.sees(who, "community_insights") == 1 for who in lookers.values())

    lines = record(command, person, "--purpose", "public_sharing", "--withdrawn", "--as", "Kim")

    assert lines == [
        f"{person}: public_sharing withdrawn for all stories",
        f"stories closed: 1 ({stories[0]})",
        "stories opened: 0",
        f"stories whose analysis closed: 1 ({stories[0]})",
    ]
    for who in lookers.values():
        assert [world.sees(who, name) for name in HANGS_ON] == [2, 2, 2, 2, 2, 0]
    assert [world.sees(who, "story_versions") for who in lookers.values() if who] == [0, 0]
    transactions = world.run(
        "select xmin::text from stories where airtable_record_id = %s union "
        "select xmin::text from consents where state = 'withdrawn' union "
        "select xmin::text from consent_events where event = 'withdrawn'",
        stories[0],
    )
    assert len(transactions) == 1
    assert world.run("select run from consent_events where event = 'withdrawn'") == [
        ("consent record by Kim",)
    ]
    assert world.run("select action from audit.log where run = 'consent record by Kim'") == [("insert",)]


def test_withdrawing_analysis_alone_leaves_the_story_and_takes_what_a_machine_said(
    world: World, command: Command, shared: tuple[str, list[str], dict[str, uuid.UUID | None]]
) -> None:
    person, stories, lookers = shared

    lines = record(command, person, "--purpose", "ai_analysis", "--withdrawn")

    assert lines[1:] == [
        "stories closed: 0",
        "stories opened: 0",
        f"stories whose analysis closed: 1 ({stories[0]})",
    ]
    for who in lookers.values():
        assert [world.sees(who, name) for name in HANGS_ON] == [3, 3, 3, 3, 2, 0]


def test_what_came_from_airtable_is_never_written(world: World, command: Command, listing: Listing) -> None:
    person = world.person()
    world.consent(person, "public_sharing")
    story = world.story(person)
    migrated = "select to_jsonb(c)::text from consents c where evidence_kind = 'airtable'"
    before = world.run(migrated)
    published(world, command, listing, story)

    record(command, person, "--purpose", "public_sharing", "--withdrawn")
    assert world.sees(None, "stories") == 0
    opened = record(command, person, "--purpose", "public_sharing", *GIVEN)

    assert opened[1:3] == ["stories closed: 0", f"stories opened: 1 ({story})"]
    assert world.sees(None, "stories") == 1
    assert world.run(migrated) == before
    assert world.run("select state, evidence_kind from consents where evidence_kind <> 'airtable'") == [
        ("given", "form")
    ]
    assert world.run("select event from consent_events where consent_id <> all (select id from consents where "
                     "evidence_kind = 'airtable') order by at") == [("withdrawn",), ("given",)]  # fmt: skip


def test_recording_the_same_again_writes_nothing(world: World, command: Command) -> None:
    person = world.person(privacy="private")
    said = (
        "--purpose",
        "public_sharing",
        *GIVEN,
        "--circle",
        "community",
        "--deceased",
        "--expires",
        "2099-01-31",
    )
    record(command, person, *said)
    before = world.everything()

    again = record(command, person, *said)

    assert again == [
        f"{person}: public_sharing given for all stories (recorded already, nothing was written)",
        f"{person}: widest circle community already",
        f"{person}: deceased already",
        "stories closed: 0",
        "stories opened: 0",
    ]
    assert world.everything() == before
    assert world.run("select privacy, deceased from storytellers") == [("community", True)]
    assert world.run("select expires_at = '2099-01-31 00:00+00' from consents") == [(True,)]


def test_a_withdrawal_for_one_story_leaves_the_others(
    world: World, command: Command, listing: Listing
) -> None:
    person, other = world.person(), world.person()
    for somebody in (person, other):
        world.consent(somebody, "public_sharing")
    first, second = world.story(person), world.story(person)
    published(world, command, listing, first, second)

    lines = record(command, person, "--purpose", "public_sharing", "--withdrawn", "--story", first)
    assert lines[0] == f"{person}: public_sharing withdrawn for story {first}"
    assert lines[1] == f"stories closed: 1 ({first})"
    assert world.sees(None, "stories") == 1

    # What is given for all stories does not undo it, and says so.
    lines = record(command, person, "--purpose", "public_sharing", *GIVEN)
    assert (
        f"{person}: still public_sharing withdrawn for {first} (evidence: spoken), which outweighs it"
        in lines
    )
    assert world.sees(None, "stories") == 1

    strange = world.story(other)
    done = command(
        "consent", "record", "staging", "--storyteller", person, "--purpose", "public_sharing", "--withdrawn",
        "--story", strange,
    )  # fmt: skip
    assert done.code == 2
    assert f"--story {strange} is not one of the stories of {person}" in done.err


def test_a_wider_circle_needs_evidence_and_a_narrower_one_does_not(
    world: World, command: Command, listing: Listing
) -> None:
    person = world.person()
    world.consent(person, "public_sharing", "community_sharing")
    story = world.story(person, community_id=world.community())
    published(world, command, listing, story)

    # The story stays open, to fewer: the person's consent to community sharing holds.
    lines = record(command, person, "--circle", "community")
    assert f"stories open to another circle: 1 ({story})" in lines
    assert world.sees(None, "stories") == 0
    assert record(command, person, "--circle", "private")[1] == f"stories closed: 1 ({story})"

    for wider in ("public", "community", "organisation"):
        done = command("consent", "record", "staging", "--storyteller", person, "--circle", wider)
        assert done.code == 2
        assert f"--circle {wider} opens what --circle private keeps closed" in done.err
    withdrawing = ("--purpose", "commercial_use", "--withdrawn", "--circle", "public")
    assert command("consent", "record", "staging", "--storyteller", person, *withdrawing).code == 2
    assert world.run("select count(*) from consents where evidence_kind <> 'airtable'") == [(0,)]

    lines = record(command, person, "--purpose", "public_sharing", *GIVEN, "--circle", "public")
    assert f"{person}: widest circle public (was private)" in lines
    assert f"stories opened: 1 ({story})" in lines
    assert world.sees(None, "stories") == 1


def test_neither_community_nor_organisation_is_within_the_other(world: World, command: Command) -> None:
    person = world.person(privacy="community")
    done = command("consent", "record", "staging", "--storyteller", person, "--circle", "organisation")
    assert (done.code, "opens what --circle community keeps closed" in done.err) == (2, True)


def test_the_deceased_need_a_consent_for_that(world: World, command: Command, listing: Listing) -> None:
    person = world.person()
    world.consent(person, "public_sharing")
    story = world.story(person)
    published(world, command, listing, story)

    assert f"stories closed: 1 ({story})" in record(command, person, "--deceased")
    assert world.sees(None, "stories") == 0
    assert f"stories opened: 1 ({story})" in record(command, person, "--purpose", "posthumous", *GIVEN)
    assert f"{person}: not deceased" in record(command, person, "--not-deceased")
    assert world.sees(None, "stories") == 1


def test_a_consent_with_an_end_says_which_other_lasts_longer(world: World, command: Command) -> None:
    person = world.person()
    world.consent(person, "public_sharing")

    lines = record(command, person, "--purpose", "public_sharing", *GIVEN, "--expires", "2099-01-01")

    assert (
        f"{person}: still public_sharing given for all stories (evidence: airtable), which outlasts it"
        in lines
    )


def test_a_withdrawal_and_a_publication_at_the_same_time_end_closed(
    world: World, command: Command, listing: Listing, cluster_watch: Callable[[], None]
) -> None:
    """The withdrawal has been written and not yet committed when the publication looks for evidence."""
    from concurrent.futures import ThreadPoolExecutor

    person = world.person()
    world.consent(person, "public_sharing")
    path = listing((world.story(person), "public"))
    with ThreadPoolExecutor(1) as pool:
        with world.conn.transaction():
            world.consent(person, "public_sharing", state="withdrawn", kind="spoken")
            publication = pool.submit(command, "publish", "staging", "--from", path)
            cluster_watch()
        done = publication.result()
    assert done.code == 1
    assert f"consent withdrawn ({person}, public_sharing)" in done.out
    assert world.sees(None, "stories") == 0


WRONG = {
    "nothing": ((), "nothing to record"),
    "purpose alone": (("--purpose", "public_sharing"), "goes with exactly one of --given and --withdrawn"),
    "withdrawn of nothing": (("--withdrawn",), "goes with exactly one of --given and --withdrawn"),
    "both": (
        ("--purpose", "public_sharing", *GIVEN, "--withdrawn"),
        "--given and --withdrawn do not go together",
    ),
    "no evidence": (
        ("--purpose", "public_sharing", "--given"),
        "--given needs --evidence-kind and --evidence",
    ),
    "blank evidence": (
        ("--purpose", "public_sharing", "--given", "--evidence-kind", "form", "--evidence", " "),
        "--given needs --evidence-kind and --evidence",
    ),
    "unknown purpose": (("--purpose", "fun", "--withdrawn"), "'fun' is not one of"),
    "evidence from Airtable": (
        ("--purpose", "public_sharing", "--given", "--evidence-kind", "airtable", "--evidence", "x"),
        "'airtable' is not one of",
    ),
    "an end in the past": (
        ("--purpose", "public_sharing", *GIVEN, "--expires", "2020-01-01"),
        "--expires is not in the future",
    ),
    "an end of a withdrawal": (
        ("--purpose", "public_sharing", "--withdrawn", "--expires", "2099-01-01"),
        "--expires goes with --given",
    ),
    "a story without purpose": (
        ("--circle", "private", "--story", "recStory0000000001"),
        "go with --purpose",
    ),
    "an unknown story": (
        ("--purpose", "public_sharing", "--withdrawn", "--story", "recStory0000000001"),
        "--story recStory0000000001 is not known here",
    ),
    "nobody": (("--circle", "private", "--as", " "), "--as: name who does this"),
}


def test_what_cannot_be_said_so_is_refused_and_nothing_is_written(world: World, command: Command) -> None:
    person = world.person()
    before = world.everything()
    for case, (arguments, words) in WRONG.items():
        done = command("consent", "record", "staging", "--storyteller", person, *arguments)
        assert (done.code, done.out) == (2, ""), case
        assert words in done.err, (case, done.err)
    for name, words in (
        ("recPerson99999999", "--storyteller recPerson99999999 is not known here"),
        (SENTINEL, "--storyteller: this is not an Airtable record id"),
    ):
        done = command("consent", "record", "staging", "--storyteller", name, "--circle", "private")
        assert (done.code, done.out) == (2, "")
        assert words in done.err
    assert world.everything() == before


def test_show_tells_what_stands_by_ids(world: World, command: Command, listing: Listing) -> None:
    person = world.person(deceased=True)
    world.consent(person, "public_sharing", "posthumous")
    world.consent(person, "ai_analysis", expires_at="2020-01-01")
    world.consent(person, "commercial_use")
    world.consent(person, "commercial_use", state="withdrawn", kind="letter")
    first, second = world.story(person), world.story(person)
    world.consent(person, "public_sharing", state="withdrawn", story=second, kind="spoken")
    published(world, command, listing, first)
    before = world.everything()

    told = command("consent", "show", "staging", "--storyteller", str(world.ids[person]), "--json").document

    assert (told["storyteller"], told["circle"], told["deceased"]) == (person, "public", True)
    assert told["missing"] == ["community_sharing", "organisation_sharing", "ai_analysis", "commercial_use"]
    assert {(c["purpose"], c["state"], c["story"]) for c in told["consents"]} == {
        ("public_sharing", "given", None), ("public_sharing", "withdrawn", second), ("posthumous", "given", None),
        ("ai_analysis", "expired", None), ("commercial_use", "given", None), ("commercial_use", "withdrawn", None),
    }  # fmt: skip
    assert {(s["story"], s["status"], s["open_to"]) for s in told["stories"]} == {
        (first, "published", "everybody"),
        (second, "draft", "nobody"),
    }
    read = command("consent", "show", "staging", "--storyteller", person)
    assert read.code == 0
    assert (
        "no consent for all stories: community_sharing, organisation_sharing, ai_analysis, commercial_use"
        in read.out
    )
    assert world.everything() == before


def test_at_most_twenty_ids_are_printed(world: World, command: Command, listing: Listing) -> None:
    person = world.person()
    world.consent(person, "public_sharing")
    stories = [world.story(person) for _ in range(23)]
    published(world, command, listing, *stories)

    lines = record(command, person, "--purpose", "public_sharing", "--withdrawn")

    assert lines[1].startswith("stories closed: 23 (recStory")
    assert lines[1].endswith(" and 3 more)")
    assert lines[1].count("recStory") == 20
