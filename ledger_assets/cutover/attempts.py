"""The steps of a cut-over and each attempt at them: rows of ``migration.cutover_steps``.

What belongs here: reading and writing those. What does not: doing a step (``steps``), what surrounds it (``night``).

Invariant: no attempt is forgotten. A step that begins anew keeps what became of it before, under ``before`` among its facts;
one that is found done keeps the times of the run that did it: the review of the night is written from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ledger_assets.cutover.state import STEPS, writing
from ledger_assets.load.sqlfiles import Cursor, plain_errors
from ledger_assets.moment import kept

if TYPE_CHECKING:
    import psycopg

BEFORE = "before"


@dataclass(frozen=True)
class Step:
    """One step of a cut-over; ``outcome`` None: it runs, or its process died. ``before``: earlier attempts, in order."""

    name: str
    run_id: str
    began_at: datetime
    ended_at: datetime | None
    outcome: str | None
    facts: dict[str, Any]
    before: tuple[Step, ...] = ()

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return None if self.ended_at is None else (self.ended_at - self.began_at).total_seconds()

    def document(self) -> dict[str, Any]:
        """For the row and for ``--json``; times with their zone."""
        return {
            "run_id": self.run_id,
            "began_at": self.began_at.isoformat(),
            "ended_at": None if self.ended_at is None else self.ended_at.isoformat(),
            "outcome": self.outcome,
            "facts": self.facts,
        }


def steps(connection: psycopg.Connection, cutover_id: str) -> list[Step]:
    """The steps that have begun, in the order of the night."""
    with plain_errors("cut-over", undone="nothing was read"), connection.transaction():
        rows = connection.execute(
            "select step, run_id, began_at, ended_at, outcome, facts from migration.cutover_steps where cutover_id = %s",
            (cutover_id,),
        ).fetchall()
    return sorted((_step(row) for row in rows), key=lambda one: STEPS.index(one.name))


def begun(connection: psycopg.Connection, cutover_id: str, step: str, run_id: str) -> Step | None:
    """A step begins, or begins anew; the attempt before this one."""
    with writing(connection) as cur:
        last = _locked(cur, cutover_id, step)
        facts = {} if last is None else _with(last.before, last)
        cur.execute(
            "insert into migration.cutover_steps (cutover_id, step, run_id, facts) values (%s, %s, %s, %s) on conflict "
            "(cutover_id, step) do update set run_id = excluded.run_id, began_at = clock_timestamp(), ended_at = null, "
            "outcome = null, facts = excluded.facts",
            (cutover_id, step, run_id, json.dumps(facts)),
        )
    return last


def ended(
    connection: psycopg.Connection, cutover_id: str, step: str, outcome: str, facts: Mapping[str, object]
) -> None:
    """How this attempt ended. ``facts``: counts, ids and times."""
    with writing(connection) as cur:
        cur.execute(
            "update migration.cutover_steps set ended_at = clock_timestamp(), outcome = %(outcome)s, facts = "
            "%(facts)s::jsonb || case when facts ? 'before' then "
            "jsonb_build_object('before', facts -> 'before') else '{}' end "
            "where cutover_id = %(cutover)s and step = %(step)s",
            {
                "outcome": outcome,
                "facts": json.dumps(dict(facts), default=kept),
                "cutover": cutover_id,
                "step": step,
            },
        )


def found_done(connection: psycopg.Connection, cutover_id: str, step: str) -> bool:
    """This attempt had nothing to do: the one that did it stands again. False when none has said so."""
    with writing(connection) as cur:
        now = _locked(cur, cutover_id, step)
        if now is None or not now.before or now.before[-1].outcome != "done":
            return False
        did = now.before[-1]
        facts = {**did.facts, **_with(now.before[:-1])}
        cur.execute(
            "update migration.cutover_steps set run_id = %s, began_at = %s, ended_at = %s, outcome = 'done', facts = %s "
            "where cutover_id = %s and step = %s",
            (did.run_id, did.began_at, did.ended_at, json.dumps(facts), cutover_id, step),
        )
    return True


def _locked(cur: Cursor, cutover_id: str, step: str) -> Step | None:
    row = cur.execute(
        "select step, run_id, began_at, ended_at, outcome, facts from migration.cutover_steps "
        "where cutover_id = %s and step = %s for update",
        (cutover_id, step),
    ).fetchone()
    return None if row is None else _step(row)


def _with(before: tuple[Step, ...], *more: Step) -> dict[str, object]:
    documents = [one.document() for one in (*before, *more)]
    return {BEFORE: documents} if documents else {}


def _step(row: tuple[Any, ...]) -> Step:
    name, run_id, began_at, ended_at, outcome, facts = row
    before = tuple(
        Step(
            name,
            one["run_id"],
            datetime.fromisoformat(one["began_at"]),
            None if one["ended_at"] is None else datetime.fromisoformat(one["ended_at"]),
            one["outcome"],
            one["facts"],
        )
        for one in facts.get(BEFORE, [])
    )
    own = {key: value for key, value in facts.items() if key != BEFORE}
    return Step(name, run_id, began_at, ended_at, outcome, own, before)
