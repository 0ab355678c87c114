"""Recording what a person said: a consent, a withdrawal, the widest circle they allow, that they have died.

What belongs here: what may be said together, the one transaction, and what follows for the person's stories. What
does not: the rule by which it follows (triggers keep it).

Invariants: nothing opens without evidence: a consent and a wider circle need it, a withdrawal and a narrower one do
not; rows that came from Airtable are never written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import psycopg

from ledger_assets.consent.act import act, find_person, find_story, statement
from ledger_assets.consent.standing import Consent, Sight, consents_of, sights
from ledger_assets.consent.words import PRIVATE, SPOKEN
from ledger_assets.environment import Environment
from ledger_assets.errors import SettingsError
from ledger_assets.load.sqlfiles import Cursor

_LIMITS = {"public": 0, "community": 1, "organisation": 2}


@dataclass(frozen=True)
class Said:
    """What a person said. None: nothing of that."""

    purpose: str | None = None
    given: bool | None = None
    evidence_kind: str | None = None
    evidence: str = ""
    story: str | None = None
    expires: date | None = None
    circle: str | None = None
    deceased: bool | None = None


@dataclass(frozen=True)
class Changes:
    """What an act changed: of the person, and (by record id) of their stories.

    ``standing``: recorded consents that keep what was said from having its whole effect.
    """

    storyteller: str
    recorded: bool
    circle: tuple[str, str] | None
    deceased: bool | None
    closed: tuple[str, ...]
    opened: tuple[str, ...]
    moved: tuple[str, ...]
    analysis_closed: tuple[str, ...]
    analysis_opened: tuple[str, ...]
    standing: tuple[Consent, ...]


def check(said: Said) -> None:
    """Raises SettingsError for what cannot be said so."""
    if (said.purpose is None) != (said.given is None):
        raise SettingsError("--purpose goes with exactly one of --given and --withdrawn, and they with it")
    if said.purpose is None and said.circle is None and said.deceased is None:
        raise SettingsError(
            "nothing to record: use --purpose with --given or --withdrawn, --circle, or --deceased"
        )
    if said.given and (not said.evidence or said.evidence_kind is None):
        raise SettingsError(
            "--given needs --evidence-kind and --evidence: where the evidence lies, such as 'folder 12, page 3'"
        )
    if said.purpose is None and (said.evidence or said.evidence_kind or said.story or said.expires):
        raise SettingsError("--evidence-kind, --evidence, --story and --expires go with --purpose")
    if said.expires is not None and not said.given:
        raise SettingsError("--expires goes with --given: a withdrawal does not expire")
    if said.expires is not None and said.expires <= datetime.now(UTC).date():
        raise SettingsError("--expires is not in the future: such a consent would never hold")


def record(
    conn: psycopg.Connection, person: str, said: Said, *, who: str, environment: Environment
) -> Changes:
    """Record what ``person`` (record id or uuid) said. Raises SettingsError for somebody or something unknown."""
    check(said)
    with act(conn, "consent record", who=who, environment=environment) as cur:
        row_id, name = find_person(cur, person)
        # The person first, then their stories: the order in which every refresh locks.
        row = cur.execute(
            "select privacy, deceased from public.storytellers where id = %s for no key update", (row_id,)
        ).fetchone()
        assert row is not None
        before = sights(cur, row_id, lock=True)
        circle = _set_circle(cur, row_id, row[0], said)
        deceased = _set_deceased(cur, row_id, row[1], said)
        recorded, standing = _record_consent(cur, row_id, name, said)
        return _changes(name, recorded, circle, deceased, before, sights(cur, row_id), standing)


def _set_circle(cur: Cursor, row_id: str, before: str, said: Said) -> tuple[str, str] | None:
    if said.circle is None or said.circle == before:
        return None
    if widens(before, said.circle) and not said.given:
        raise SettingsError(
            f"--circle {said.circle} opens what --circle {before} keeps closed: use it with --given and its evidence"
        )
    cur.execute("update public.storytellers set privacy = %s where id = %s", (said.circle, row_id))
    return before, said.circle


def widens(before: str, after: str) -> bool:
    """Whether ``after`` lets anybody in whom ``before`` keeps out."""
    if after == PRIVATE:
        return False
    return before == PRIVATE or bool(_LIMITS[before] & ~_LIMITS[after])


def _set_deceased(cur: Cursor, row_id: str, before: bool, said: Said) -> bool | None:
    if said.deceased is None or said.deceased == before:
        return None
    cur.execute("update public.storytellers set deceased = %s where id = %s", (said.deceased, row_id))
    return said.deceased


def _record_consent(cur: Cursor, row_id: str, name: str, said: Said) -> tuple[bool, tuple[Consent, ...]]:
    """Whether anything was written, and the consents that stand against it."""
    if said.purpose is None:
        return False, ()
    story = None if said.story is None else _own_story(cur, row_id, name, said.story)
    parameters = {
        "person": row_id,
        "story": story and story[0],
        "purpose": said.purpose,
        "state": "given" if said.given else "withdrawn",
        "expires": said.expires,
        "kind": said.evidence_kind or SPOKEN,
        "evidence": said.evidence or None,
    }
    written = cur.execute(statement("record_consent"), parameters).fetchone() is not None
    if not said.given:
        return written, ()
    return written, _against(consents_of(cur, row_id), said, story and story[1])


def _own_story(cur: Cursor, row_id: str, name: str, story: str) -> tuple[str, str]:
    found = find_story(cur, story)
    own = cur.execute(
        "select exists (select from private.story_people where story_id = %s and storyteller_id = %s)",
        (found[0], row_id),
    ).fetchone()
    if own != (True,):
        raise SettingsError(f"--story {story} is not one of the stories of {name}")
    return found


def _against(consents: tuple[Consent, ...], said: Said, story: str | None) -> tuple[Consent, ...]:
    """Withdrawals that outweigh what was given, and consents that outlast the end it was given."""
    same = [
        c for c in consents if c.purpose == said.purpose and (c.story is None or story in {None, c.story})
    ]
    return tuple(
        c
        for c in same
        if c.state == "withdrawn"
        or (
            said.expires is not None
            and c.state == "given"
            and (story is not None or c.story is None)
            and (c.expires is None or c.expires > said.expires)
        )
    )


def _changes(
    name: str,
    recorded: bool,
    circle: tuple[str, str] | None,
    deceased: bool | None,
    before: tuple[Sight, ...],
    after: tuple[Sight, ...],
    standing: tuple[Consent, ...],
) -> Changes:
    was = {sight.story: sight for sight in before}
    pairs = [(was[sight.story], sight) for sight in after if sight.story in was]

    def stories(closing: bool, *, analysis: bool = False) -> tuple[str, ...]:
        def is_open(sight: Sight) -> bool:
            return sight.analysis if analysis else sight.limits is not None

        return tuple(b.story for a, b in pairs if is_open(a) is closing and is_open(b) is not closing)

    return Changes(
        storyteller=name,
        recorded=recorded,
        circle=circle,
        deceased=deceased,
        closed=stories(True),
        opened=stories(False),
        moved=tuple(b.story for a, b in pairs if None not in (a.limits, b.limits) and a.limits != b.limits),
        analysis_closed=stories(True, analysis=True),
        analysis_opened=stories(False, analysis=True),
        standing=standing,
    )
