"""``ledger-assets publish``: what has its evidence is published, what lacks it is refused and told what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .world import SENTINEL, Command, World

Listing = Callable[..., Path]


def told_by_one(world: World, *purposes: str, **more: Any) -> str:
    """A story of one person who consents to ``purposes``."""
    person = world.person()
    world.consent(person, *purposes)
    return world.story(person, **more)


def test_those_with_evidence_are_published_and_the_others_stay_as_they_were(
    world: World, command: Command, listing: Listing
) -> None:
    ready = told_by_one(world, "public_sharing")
    lacking = told_by_one(world, "commercial_use")
    before = world.run("select to_jsonb(s)::text from stories s where airtable_record_id = %s", lacking)

    done = command(
        "publish", "staging", "--from", listing((ready, "public"), (lacking, "public")), "--as", "Kim"
    )

    assert done.code == 1
    assert done.err == "ledger-assets: 1 of 2 listed stories lack evidence\n"
    (person,) = world.run(
        "select t.airtable_record_id from storytellers t join authorship a on a.storyteller_id = t.id "
        "where a.story_id = %s",
        world.ids[lacking],
    )[0]
    assert done.out.splitlines() == [
        f"refused {lacking} (public): consent missing ({person}, public_sharing)",
        "published: 1 (public 1); already published in this circle: 0; refused: 1",
    ]
    assert world.sees(None, "stories") == 1
    assert (
        world.run("select to_jsonb(s)::text from stories s where airtable_record_id = %s", lacking) == before
    )
    written = world.run(
        "select row_id, action, run from audit.log where table_name = 'stories' and action = 'update'"
    )
    assert written == [(str(world.ids[ready]), "update", "publish by Kim")]


def test_a_story_named_by_its_uuid_goes_to_its_circle_alone(
    world: World, command: Command, listing: Listing
) -> None:
    community = world.community()
    story = told_by_one(world, "community_sharing", community_id=community)
    member, outsider = world.account(), world.account()
    world.insert(
        "community_members", community_id=community, profile_id=member, role="member", approved_at="now"
    )

    done = command("publish", "staging", "--from", listing((str(world.ids[story]), "Community")))

    assert (done.code, done.err) == (0, "")
    assert "published: 1 (community 1)" in done.out
    assert [world.sees(who, "stories") for who in (member, outsider, None)] == [1, 0, 0]


def test_a_second_run_publishes_nothing_anew_and_writes_nothing(
    world: World, command: Command, listing: Listing
) -> None:
    story = told_by_one(world, "public_sharing")
    path = listing((story, "public"))
    assert command("publish", "staging", "--from", path).code == 0
    before, row = world.everything(), world.run("select xmin::text, ctid::text from stories")

    done = command("publish", "staging", "--from", path)

    assert (done.code, done.err) == (0, "")
    assert done.out == "published: 0; already published in this circle: 1; refused: 0\n"
    assert world.everything() == before
    assert world.run("select xmin::text, ctid::text from stories") == row


def test_a_dry_run_says_the_same_and_leaves_nothing(world: World, command: Command, listing: Listing) -> None:
    path = listing((told_by_one(world, "public_sharing"), "public"), (told_by_one(world), "public"))
    before = world.everything()

    dry = command("publish", "staging", "--from", path, "--dry-run", "--json")

    assert world.everything() == before
    real = command("publish", "staging", "--from", path, "--json")
    assert dry.code == real.code == 1
    assert dry.document == {**real.document, "dry_run": True}
    assert [story["result"] for story in real.document["stories"]] == ["published", "refused"]
    assert (real.document["published"], real.document["already"], real.document["refused"]) == (1, 0, 1)


def test_a_published_story_moves_to_another_circle_only_with_the_consent_for_that(
    world: World, command: Command, listing: Listing
) -> None:
    person = world.person()
    world.consent(person, "public_sharing")
    story = world.story(person, community_id=world.community())
    assert command("publish", "staging", "--from", listing((story, "public"))).code == 0

    done = command("publish", "staging", "--from", listing((story, "community")), "--json")

    assert done.code == 1
    (told,) = done.document["stories"]
    assert (told["result"], told["before"]) == ("refused", "public")
    assert world.run("select status, privacy from stories") == [("published", "public")]
    assert world.sees(None, "stories") == 1

    world.consent(person, "community_sharing")
    moved = command("publish", "staging", "--from", listing((story, "community")))

    assert (moved.code, moved.out) == (
        0,
        "published: 1 (community 1); already published in this circle: 0; refused: 0\n",
    )
    assert world.run("select status, privacy from stories") == [("published", "community")]
    assert world.sees(None, "stories") == 0


def test_each_obstacle_is_named(world: World, command: Command, listing: Listing) -> None:
    """Everything that private.obstacles knows, each on a story that lacks exactly that."""
    person = world.person()
    world.consent(person, "public_sharing", "community_sharing", "organisation_sharing")
    strict, required = world.community(), world.community()
    world.insert(
        "cultural_protocols", community_id=strict, name=SENTINEL, enforcement="strict", privacy="private"
    )
    world.insert("cultural_protocols", community_id=required, name=SENTINEL, enforcement="required")
    private, sensitive, dead = (
        world.person(privacy="private"),
        world.person(sensitive=True),
        world.person(deceased=True),
    )
    for somebody in (private, sensitive, dead):
        world.consent(somebody, "public_sharing")
    withdrew, late, silent = world.person(), world.person(), world.person()
    world.consent(withdrew, "public_sharing")
    world.consent(withdrew, "public_sharing", state="withdrawn", kind="spoken")
    world.consent(late, "public_sharing", expires_at="2020-01-01")
    sacred = world.story(person, sensitivity="sacred")
    delicate = world.story(person, sensitivity="sensitive")
    pending = world.story(person)
    for story, state in ((sacred, "approved"), (delicate, "approved"), (pending, "pending")):
        world.insert("elder_review_queue", story_id=world.ids[story], state=state)
    spoken_by = world.story(person)
    world.interview(spoken_by, silent)
    withdrawn_story = world.story(person)
    world.consent(person, "public_sharing", state="withdrawn", story=withdrawn_story, kind="letter")
    organisation = world.organisation()

    expected = {
        (world.story(), "public"): "nobody is named as its teller",
        (world.story(person, source_deleted_at="now"), "public"): "it has gone from Airtable",
        (sacred, "public"): "it is sacred",
        (delicate, "public"): "it is sensitive: community at most",
        (world.story(sensitive), "public"): f"its teller is sensitive: community at most ({sensitive})",
        (world.story(private), "public"): f"its teller's own privacy is private ({private})",
        (
            world.story(person, community_id=strict),
            "public",
        ): "a strict protocol of its community allows private",
        (pending, "public"): "its elder review is pending",
        (world.story(person, requires_elder_review=True), "public"): "it needs an elder's review",
        (world.story(person, community_id=required), "public"): "it needs an elder's review",
        (world.story(person), "community"): "it belongs to no community",
        (world.story(person, community_id=strict), "organisation"): "it belongs to no organisation",
        (world.story(person, late), "public"): f"consent expired ({late}, public_sharing)",
        (world.story(withdrew), "public"): f"consent withdrawn ({withdrew}, public_sharing)",
        (withdrawn_story, "public"): f"consent withdrawn ({person}, public_sharing)",
        (spoken_by, "public"): f"consent missing ({silent}, public_sharing)",
        (world.story(dead), "public"): f"consent missing ({dead}, posthumous)",
        (
            world.story(withdrew, community_id=required),
            "community",
        ): f"consent missing ({withdrew}, community_sharing)",
        (
            world.story(late, organisation_id=organisation),
            "organisation",
        ): f"consent missing ({late}, organisation_sharing)",
    }

    done = command("publish", "staging", "--from", listing(*expected))

    assert done.code == 1
    told = dict(line.removeprefix("refused ").split(": ", 1) for line in done.out.splitlines()[:-1])
    for (story, circle), words in expected.items():
        assert words in told[f"{story} ({circle})"], (words, told[f"{story} ({circle})"])
    assert f"refused: {len(expected)}" in done.out
    assert world.run("select count(*) from stories where status = 'published' or privacy <> 'private'") == [
        (0,)
    ]


def test_several_obstacles_of_one_story_are_one_line(
    world: World, command: Command, listing: Listing
) -> None:
    one, other = world.person(privacy="private"), world.person()
    story = world.story(one, other)

    done = command("publish", "staging", "--from", listing((story, "public")))

    assert done.out.splitlines()[0] == (
        f"refused {story} (public): consent missing ({one}, public_sharing); consent missing ({other}, public_sharing); "
        f"its teller's own privacy is private ({one})"
    )


def test_a_published_story_that_its_people_have_closed_is_refused_and_not_called_published(
    world: World, command: Command, listing: Listing
) -> None:
    person = world.person()
    world.consent(person, "public_sharing")
    path = listing((world.story(person), "public"))
    assert command("publish", "staging", "--from", path).code == 0
    world.consent(person, "public_sharing", state="withdrawn", kind="spoken")

    done = command("publish", "staging", "--from", path)

    assert done.code == 1
    assert f"consent withdrawn ({person}, public_sharing)" in done.out
    assert "already published in this circle: 0" in done.out


def test_production_asks_for_the_targets_own_name(world: World, command: Command, listing: Listing) -> None:
    path = listing((told_by_one(world, "public_sharing"), "public"))
    name = f"{world.conn.info.host}/{world.conn.info.dbname}"

    refused = command("publish", "production", "--from", path, "--confirm", "production", production=True)

    assert refused.code == 2
    assert f"use --confirm {name}" in refused.err
    assert world.sees(None, "stories") == 0
    assert command("publish", "production", "--from", path, "--dry-run", production=True).code == 0
    assert world.sees(None, "stories") == 0
    assert command("publish", "production", "--from", path, "--confirm", name, production=True).code == 0
    assert world.sees(None, "stories") == 1


def test_a_database_of_another_environment_is_refused(
    world: World, command: Command, listing: Listing
) -> None:
    world.run("insert into migration.target (environment, name, base_id) values ('production', 'x', 'appX')")

    done = command("publish", "staging", "--from", listing((told_by_one(world, "public_sharing"), "public")))

    assert done.code == 2
    assert "belongs to environment production, not to staging" in done.err
    assert world.sees(None, "stories") == 0


def test_a_freeze_is_told_in_its_own_words(world: World, command: Command, listing: Listing) -> None:
    path = listing((told_by_one(world, "public_sharing"), "public"))
    world.run("update migration.maintenance set frozen = true, reason = 'we are moving', since = now()")

    done = command("publish", "staging", "--from", path)

    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert "cannot be changed right now: we are moving (until further notice)" in done.err
    world.run("update migration.maintenance set frozen = false")
    assert world.sees(None, "stories") == 0


def test_should_the_list_of_obstacles_forget_one_the_rule_still_refuses(
    world: World, command: Command, listing: Listing
) -> None:
    world.run(
        "create or replace function private.obstacles(story uuid) "
        "returns table (obstacle text, storyteller_id uuid, airtable_record_id text, purpose text) "
        "language sql stable as $$ select null, null::uuid, null, null where false $$"
    )
    path = listing((told_by_one(world), "public"), (told_by_one(world, "public_sharing"), "public"))

    done = command("publish", "staging", "--from", path)

    assert done.code == 1
    assert done.out.splitlines()[0].endswith("(public): the consent rule closes it")
    assert world.sees(None, "stories") == 1
