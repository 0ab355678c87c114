"""One row in every audited table, and one change of each: for tests that must leave no table out."""

from __future__ import annotations

from uuid import UUID

from tests.schema.world import World

CHANGES = {
    "organisations": "description = 'changed'",
    "projects": "description = 'changed'",
    "locations": "state = 'QLD'",
    "storytellers": "bio = 'changed'",
    "storyteller_contacts": "phone = '0400 000 000'",
    "stories": "copy = 'changed'",
    "interviews": "transcript = 'changed'",
    "themes": "description = 'changed'",
    "quotes": "quote = 'changed'",
    "media_assets": "file_name = 'changed'",
    "authorship": "position = 9",
    "story_interviews": "position = 9",
    "interview_storytellers": "position = 9",
    "interview_themes": "position = 9",
    "quote_interviews": "position = 9",
    "profiles": "bio = 'changed'",
    "communities": "description = 'changed'",
    "community_members": "role = 'member'",
    "organisation_members": "role = 'admin'",
    "project_members": "role = 'editor'",
    "organisation_api_keys": "is_active = false",
    "cultural_protocols": "enforcement = 'advisory'",
    "storyteller_claims": "refused_at = now()",
    "platform_config": "value = '2'",
    "consents": "state = 'withdrawn'",
    "elder_review_queue": "state = 'in_review'",
    "story_comments": "body = 'changed'",
    "story_analysis": "confidence = 0.5",
    "community_insights": "is_public = true",
    "community_insight_stories": "id = gen_random_uuid()",
    "value_events": "description = 'changed'",
    "value_distributions": "status = 'completed'",
    "erasure_requests": "reason = 'changed'",
}


def fill(world: World) -> dict[str, UUID]:
    """A row in each table of ``CHANGES``; answers with the accounts and people that it made."""
    w, row = world, world.row
    account, other = w.account("Teller"), w.account("Reader")
    organisation, community = w.organisation(), w.community()
    project = row("projects", name="Project", organisation_id=organisation)
    row("locations", name="Place", kind="town", country="AU")
    person = w.storyteller("Teller", account=account, community_id=community)
    row("storyteller_contacts", storyteller_id=person, email="teller@example.org")
    stories = [w.story(person, title=f"Story {n}", copy="words", community_id=community) for n in range(3)]
    interview = w.interview(stories[0], person, transcript="spoken")
    theme = row("themes", name="Theme")
    row("interview_themes", interview_id=interview, theme_id=theme, position=1)
    quote = row("quotes", quote="said", storyteller_id=person, story_id=stories[0])
    row("quote_interviews", quote_id=quote, interview_id=interview, position=1)
    row("media_assets", role="profile_image", storyteller_id=person, position=1, attachment_id="att1")
    w.member(community, other, "elder")
    row("organisation_members", organisation_id=organisation, profile_id=other)
    row("project_members", project_id=project, profile_id=other)
    row("organisation_api_keys", organisation_id=organisation, name="key", key_hash=b"k" * 32)
    row("cultural_protocols", community_id=community, name="Protocol", privacy="public")
    claimable = w.storyteller("Unclaimed", consents=())
    row("storyteller_claims", storyteller_id=claimable, code_hash=b"c" * 32, expires_at="2030-01-01")
    row("platform_config", key="setting", value={"a": 1})
    row("elder_review_queue", story_id=stories[0], state="approved", requested_by=account)
    row("story_comments", story_id=stories[0], profile_id=other, body="a comment")
    for story in stories:
        row("story_analysis", story_id=story, kind="themes", result={"a": 1}, validated_at="2026-01-01")
    with w.owner.transaction():
        insight = row("community_insights", community_id=community, kind="themes", result={"a": 1})
        for story in stories:
            row("community_insight_stories", insight_id=insight, story_id=story)
    money = row("value_events", kind="donation", amount=10, community_id=community)
    row("value_distributions", event_id=money, recipient="platform", amount=10)
    row("erasure_requests", scope="account", requested_by=account)
    return {"account": account, "other": other, "person": person, "story": stories[0]}
