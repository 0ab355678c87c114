"""Expired consents, and stories that are kept more open than the rule says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ledger_assets.health import consents
from tests.health.hands import Make, damaged
from tests.schema.world import World


def test_an_expiry_that_nobody_recorded_for_hours_is_bad_and_names_the_consent(
    world: World, context: Make
) -> None:
    now = datetime.now(UTC)
    teller = world.storyteller(consents=())
    fresh = world.consent(teller, "ai_analysis", expires_at=now - timedelta(minutes=20))
    warned = consents.expired_consents(context())
    assert warned.state == "warn"
    assert str(fresh) in warned.value
    old = world.consent(teller, "commercial_use", expires_at=now - timedelta(hours=3))
    found = consents.expired_consents(context())
    assert found.state == "bad"
    assert f"2 not recorded, the first ended 3.0 h ago: {old}" in found.value
    world.do("select private.record_expiries()")
    assert consents.expired_consents(context()).state == "ok"


def test_a_consent_that_holds_and_one_that_was_withdrawn_are_not_counted(world: World, context: Make) -> None:
    now = datetime.now(UTC)
    teller = world.storyteller(consents=())
    world.consent(teller, "ai_analysis", expires_at=now + timedelta(hours=1))
    world.consent(teller, "posthumous", state="withdrawn", expires_at=now - timedelta(hours=9))
    assert consents.expired_consents(context()).value == "none unrecorded"
    later = consents.expired_consents(context(now=now + timedelta(hours=2)))
    assert later.value.startswith("1 not recorded")


def test_a_story_that_closed_by_its_date_is_told(world: World, context: Make) -> None:
    now = datetime.now(UTC)
    teller = world.storyteller(consents=())
    world.consent(teller, "public_sharing", expires_at=now + timedelta(hours=1))
    world.story(teller)
    assert "closed by" not in consents.expired_consents(context()).value
    later = consents.expired_consents(context(now=now + timedelta(hours=2)))
    assert "1 stories closed by their date" in later.value


def test_a_story_that_is_more_open_than_the_rule_says_is_bad_and_named(world: World, context: Make) -> None:
    story = world.story(world.storyteller(consents=()))
    assert consents.visibility(context()).state == "ok"
    damaged(world, f"update public.stories set eff_limits = 0, eff_until = 'infinity' where id = '{story}'")
    found = consents.visibility(context())
    assert found.state == "bad"
    assert f"1 of 1 stories are kept other than the consent rule says: {story}" in found.value
    world.do("select private.refresh_all()")
    assert consents.visibility(context()).state == "ok"


def test_a_draft_that_was_opened_behind_the_rule_is_found_too(world: World, context: Make) -> None:
    story = world.story(world.storyteller(), published=False)
    damaged(world, f"update public.stories set eff_limits = 0, eff_until = 'infinity' where id = '{story}'")
    assert consents.visibility(context()).state == "bad"
