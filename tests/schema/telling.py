"""A person all of whose words are one word, in every place where words can stand; and requests to erase them."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from tests.schema.world import SERVICE, World, run_as_loader

ERASE = "select public.carry_out_erasure(%s)"


def came_from_airtable(world: World, table: str, row: UUID, word: str) -> None:
    """The row's record, comment and file in the archive, as delivered."""
    key = ("appBase", f"tbl{table}", f"rec{row.hex[:14]}")
    run_as_loader(
        world,
        f"update {table} set (airtable_base_id, airtable_table_id, airtable_record_id) = (%s, %s, %s) where id = %s",
        *key,
        row,
    )
    raw = f'{{"words": "{word}"}}'
    digest = hashlib.sha256(raw.encode()).digest()
    world.do(
        "insert into airtable.records values (%s, %s, %s, now(), %s, %s, '{}', %s, %s, 'e', 'e')",
        *(*key, raw, Jsonb({"words": word}), digest, digest),
    )
    world.do("insert into airtable.comments values (%s, %s, %s, 'com1', %s, %s, 'e', 'e')", *key, raw, digest)
    world.do(
        "insert into airtable.attachments values "
        "(%s, %s, %s, 'fld1', 'att1', %s, 1, null, null, null, null, %s, 'e', 'e')",
        *(*key, f"{word}.jpg", digest),
    )


def story_of(world: World, word: str, *people: UUID, **columns: Any) -> UUID:
    """A story in that word, with everything that hangs on it."""
    row = world.row
    story = world.story(*people, title=word, copy=word, transcript=word, **columns)
    world.do("update stories set copy = copy || '!' where id = %s", story)
    for person in people:
        world.consent(person, "commercial_use", story_id=story, evidence=f"tape of {word}")
    row("media_assets", role="story_image", story_id=story, position=1, attachment_id="a", file_name=word,
        object_key=f"attachments/{story}")  # fmt: skip
    row("story_comments", story_id=story, profile_id=world.account("Commenter"), body=f"about {word}")
    row("story_analysis", story_id=story, kind="themes", result={"found": word}, validated_at="2026-01-01")
    row("elder_review_queue", story_id=story, state="approved", note=word)
    row("value_events", kind="donation", amount=10, story_id=story, description=f"for {word}")
    came_from_airtable(world, "stories", story, word)
    return story


def interview_of(world: World, word: str, story: UUID | None, *people: UUID) -> UUID:
    """An interview in that word, with its theme and its quote."""
    interview = world.interview(story, *people, transcript=word, summary=word)
    theme = world.row("themes", name=word)
    world.row("interview_themes", interview_id=interview, theme_id=theme, position=1)
    quote = world.row("quotes", quote=word, theme_text=word, storyteller_id=people[0], story_id=story)
    world.row("quote_interviews", quote_id=quote, interview_id=interview, position=1)
    for table, made in (("interviews", interview), ("themes", theme), ("quotes", quote)):
        came_from_airtable(world, table, made, word)
    return interview


def person_of(world: World, word: str, account: UUID | None = None) -> UUID:
    """A person in that word: also what was changed and deleted of theirs before."""
    columns = {"bio": word, "role": word, "website_themes": [word], "consent_preferences": word}
    person = world.storyteller(word, account=account, **columns)
    world.row("storyteller_contacts", storyteller_id=person, email=f"{word}@example.org")
    world.row("media_assets", role="signature", storyteller_id=person, position=1, attachment_id="a", file_name=word,
              object_key=f"attachments/{person}")  # fmt: skip
    world.consent(person, "posthumous", evidence=f"letter of {word}")
    world.do("update consents set evidence = evidence || '!' where purpose = 'posthumous'")
    came_from_airtable(world, "storytellers", person, word)
    # Words that are gone from their tables stand in the audit still.
    gone = world.story(person, title=word, published=False)
    quote = world.row("quotes", quote=word, storyteller_id=person)
    world.do("delete from quotes where id = %s", quote)
    world.do("delete from authorship where story_id = %s", gone)
    world.do("delete from stories where id = %s", gone)
    return person


def whole_person(world: World, word: str, account: UUID | None = None) -> tuple[UUID, UUID]:
    """A person with a story and an interview of their own."""
    person = person_of(world, word, account)
    story = story_of(world, word, person)
    interview_of(world, word, story, person)
    return person, story


def request(world: World, scope: str, **columns: Any) -> UUID:
    return world.row("erasure_requests", scope=scope, **columns)


def erase(world: World, scope: str, **columns: Any) -> dict[str, Any]:
    """A request, carried out by the service role; its counts."""
    counts: dict[str, Any] = world.ask(SERVICE, None, ERASE, request(world, scope, **columns))
    return counts
