"""Publishing what a person lists, and refusing each story that lacks evidence.

What belongs here: the list's one transaction, with a savepoint for each story. What does not: what is in a story's
way: ``private.publish_story`` answers with that.

Invariants: a refused story is exactly as it was; a story that stood published in its circle is not written at all;
the evidence is looked at in the transaction that publishes, with the story locked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import psycopg

from ledger_assets.consent.act import act, statement
from ledger_assets.consent.listing import Faults, Listed
from ledger_assets.consent.words import record_id, row_uuid
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor

Result = Literal["published", "already", "refused"]


@dataclass(frozen=True)
class Obstacle:
    """One thing that is in a story's way; of which storyteller and which purpose, where it is about one."""

    what: str
    storyteller: str | None
    purpose: str | None

    @property
    def line(self) -> str:
        """For a person."""
        about = ", ".join(part for part in (self.storyteller, self.purpose) if part)
        return f"{self.what} ({about})" if about else self.what


@dataclass(frozen=True)
class Outcome:
    """What became of a listed story. ``before``: the circle it was published in, None if it was not."""

    line: int
    story: str
    circle: str
    before: str | None
    result: Result
    obstacles: tuple[Obstacle, ...] = ()


@dataclass(frozen=True)
class _Story:
    id: UUID
    name: str
    before: str | None


def assert_confirmed(settings: Settings, confirm: str) -> None:
    """Raises TargetError unless production is named."""
    if settings.environment is Environment.PRODUCTION and confirm != settings.target_name:
        raise TargetError(
            f"production is published only with the target's own name: use --confirm {settings.target_name}"
        )


def publish(
    conn: psycopg.Connection,
    listed: Sequence[Listed],
    *,
    source: str,
    who: str,
    environment: Environment,
    commit: bool,
) -> tuple[Outcome, ...]:
    """Publish ``listed``, in its order. Raises SettingsError (naming lines of ``source``) for unknown stories.

    ``commit`` False: everything is executed and rolled back.
    """
    with act(conn, "publish", who=who, environment=environment, commit=commit) as cur:
        stories = _stories(cur, listed, source)
        return tuple(_publish_one(conn, cur, entry, stories[entry.line]) for entry in listed)


def _stories(cur: Cursor, listed: Sequence[Listed], source: str) -> Mapping[int, _Story]:
    """The story of each line, locked until the end."""
    parameters = {
        "lines": [entry.line for entry in listed],
        "records": [record_id(entry.story) for entry in listed],
        "rows": [row_uuid(entry.story) for entry in listed],
    }
    named = cur.execute(statement("listed_stories"), parameters).fetchall()
    ids = {row for _, row in named}
    locked = {
        row: _Story(row, name, privacy if status == "published" else None)
        for row, name, status, privacy in cur.execute(statement("lock_stories"), {"ids": list(ids)})
    }
    found = {line: locked[row] for line, row in named if row in locked}
    times = Counter(line for line, _ in named)
    faults, first = Faults(source), dict[UUID, int]()
    for entry in listed:
        if entry.line not in found:
            faults.add(entry.line, "there is no such story here")
        elif times[entry.line] > 1:
            faults.add(entry.line, "the record id names more than one story; use the uuid")
        elif (before := first.setdefault(found[entry.line].id, entry.line)) != entry.line:
            faults.add(entry.line, f"the story stands in line {before} already")
    faults.refuse()
    return found


def _publish_one(conn: psycopg.Connection, cur: Cursor, entry: Listed, story: _Story) -> Outcome:
    def outcome(result: Result, obstacles: tuple[Obstacle, ...] = ()) -> Outcome:
        return Outcome(entry.line, story.name, entry.circle, story.before, result, obstacles)

    answer = outcome("published")
    with conn.transaction() as savepoint:
        rows = cur.execute(
            "select obstacle, coalesce(airtable_record_id, storyteller_id::text), purpose "
            "from private.publish_story(%s, %s) order by 1, 2, 3",
            (story.id, entry.circle),
        ).fetchall()
        if rows:
            answer = outcome("refused", tuple(Obstacle(*row) for row in rows))
        elif story.before == entry.circle:
            answer = outcome("already")
        if answer.result != "published":
            raise psycopg.Rollback(savepoint)
    return answer
