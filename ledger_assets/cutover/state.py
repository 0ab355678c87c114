"""What the database knows of its cut-overs: rows of ``migration.cutovers`` and ``cutover_steps``.

What belongs here: reading and writing those, and saying how far a cut-over came. What does not: doing anything about it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, LiteralString

from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor, plain_errors

if TYPE_CHECKING:
    import psycopg

Ended = Literal["done", "returned", "abandoned"]
Phase = Literal[
    "lapsed", "frozen", "loaded", "opened", "switched", "returning", "done", "returned", "abandoned"
]
"""``lapsed``: its freeze is over and nothing was loaded; ``frozen``: it is not; ``opened``: loaded, and somebody ended its
freeze by force before the switch."""
STEPS = (
    "freeze", "sync", "checkpoint", "load", "proof", "access", "health", "switch", "watch", "unfreeze",
)  # fmt: skip

_CUTOVER: LiteralString = (
    "select cutover_id, began_at, who, state, planned_end, watch_minutes::float8, token, checkpoint, export_id, runs, "
    "ended_at, why from migration.cutovers "
)


@dataclass(frozen=True)
class Cutover:
    """One cut-over; times have a zone."""

    id: str
    began_at: datetime
    who: str
    state: str
    planned_end: datetime
    watch_minutes: float
    token: int | None
    checkpoint: str | None
    export_id: str | None
    runs: list[str]
    ended_at: datetime | None
    why: str | None


@dataclass(frozen=True)
class Step:
    """One step of a cut-over; ``outcome`` None: it runs, or its process died."""

    name: str
    run_id: str
    began_at: datetime
    ended_at: datetime | None
    outcome: str | None
    facts: dict[str, Any]

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return None if self.ended_at is None else (self.ended_at - self.began_at).total_seconds()


def unfinished(connection: psycopg.Connection) -> Cutover | None:
    """The one that is open or on its way back."""
    return _one(connection, "where ended_at is null")


def by_id(connection: psycopg.Connection, cutover_id: str) -> Cutover | None:
    """The one of that id."""
    return _one(connection, "where cutover_id = %s", cutover_id)


def of_run(connection: psycopg.Connection, run_id: str) -> Cutover:
    """The one that a run belongs to. Raises TargetError."""
    found = _one(connection, "where %s = any (runs)", run_id)
    if found is None:
        raise TargetError(
            f"run {run_id[:8]} belongs to no cut-over of this database: start with its first step (ledger-assets cutover "
            "ENV)"
        )
    return found


def latest(connection: psycopg.Connection) -> Cutover | None:
    """The newest, ended or not."""
    return _one(connection, "order by began_at desc limit 1")


def of_checkpoint(connection: psycopg.Connection, snapshot_id: str) -> Cutover | None:
    """The one whose way back a snapshot is."""
    return _one(connection, "where checkpoint = %s", snapshot_id)


def begin(
    connection: psycopg.Connection, cutover_id: str, *, who: str, planned_end: datetime, watch_minutes: float
) -> None:
    """Raises TargetError when another is open."""
    with _writing(connection) as cur:
        cur.execute(
            "insert into migration.cutovers (cutover_id, who, planned_end, watch_minutes) values (%s, %s, %s, %s)",
            (cutover_id, who, planned_end, watch_minutes),
        )


def join(connection: psycopg.Connection, cutover_id: str, *run_ids: str) -> None:
    """These runs belong to the cut-over."""
    with _writing(connection) as cur:
        cur.execute(
            "update migration.cutovers set runs = (select array_agg(distinct r) from unnest(runs || %s::text[]) r) "
            "where cutover_id = %s",
            (list(run_ids), cutover_id),
        )


def note(
    connection: psycopg.Connection,
    cutover_id: str,
    *,
    token: int | None = None,
    checkpoint: str | None = None,
    export_id: str | None = None,
) -> None:
    """Keep what the next steps need; None leaves what is there."""
    with _writing(connection) as cur:
        cur.execute(
            "update migration.cutovers set token = coalesce(%s, token), checkpoint = coalesce(%s, checkpoint), "
            "export_id = coalesce(%s, export_id) where cutover_id = %s",
            (token, checkpoint, export_id, cutover_id),
        )


def returning(connection: psycopg.Connection, cutover_id: str, why: str) -> None:
    """From now on the only way is back, whoever goes on. Also for one that was done."""
    with _writing(connection) as cur:
        cur.execute(
            "update migration.cutovers set state = 'returning', ended_at = null, why = %s where cutover_id = %s",
            (why, cutover_id),
        )


def end(connection: psycopg.Connection, cutover_id: str, how: Ended, why: str | None = None) -> None:
    """It is over."""
    with _writing(connection) as cur:
        cur.execute(
            "update migration.cutovers set state = %s, ended_at = clock_timestamp(), why = coalesce(%s, why) "
            "where cutover_id = %s",
            (how, why, cutover_id),
        )


def step_begun(connection: psycopg.Connection, cutover_id: str, step: str, run_id: str) -> None:
    """A step begins, or begins anew."""
    with _writing(connection) as cur:
        cur.execute(
            "insert into migration.cutover_steps (cutover_id, step, run_id) values (%s, %s, %s) on conflict "
            "(cutover_id, step) do update set run_id = excluded.run_id, began_at = clock_timestamp(), ended_at = null, "
            "outcome = null, facts = '{}'",
            (cutover_id, step, run_id),
        )


def step_ended(
    connection: psycopg.Connection, cutover_id: str, step: str, outcome: str, facts: Mapping[str, object]
) -> None:
    """How it ended. ``facts``: counts, ids and times."""
    with _writing(connection) as cur:
        cur.execute(
            "update migration.cutover_steps set ended_at = clock_timestamp(), outcome = %s, facts = %s "
            "where cutover_id = %s and step = %s",
            (outcome, json.dumps(dict(facts), default=str), cutover_id, step),
        )


def steps(connection: psycopg.Connection, cutover_id: str) -> list[Step]:
    """Its steps in the order they began."""
    with plain_errors("cut-over", undone="nothing was read"), connection.transaction():
        rows = connection.execute(
            "select step, run_id, began_at, ended_at, outcome, facts from migration.cutover_steps where cutover_id = %s "
            "order by began_at",
            (cutover_id,),
        ).fetchall()
    return [Step(*row) for row in rows]


def phase(connection: psycopg.Connection, cutover: Cutover) -> Phase:
    """How far it came, by what was committed."""
    from ledger_assets import freeze, switch

    if cutover.state != "open":
        return cutover.state  # type: ignore[return-value]  # the table's check: every other state is a phase
    live, frozen = switch.live(connection), freeze.state(connection)
    if live.source == "supabase" and live.run_id in cutover.runs:
        return "switched"
    if frozen.cutover != cutover.id or not frozen.live:
        return "opened" if _has_loaded(connection, cutover) else "lapsed"
    return "loaded" if frozen.held else "frozen"


def _has_loaded(connection: psycopg.Connection, cutover: Cutover) -> bool:
    with plain_errors("cut-over", undone="nothing was read"), connection.transaction():
        row = connection.execute(
            "select exists (select from migration.loads where run_id = any (%s) and committed_at is not null)",
            (cutover.runs,),
        ).fetchone()
    return row is not None and bool(row[0])


def _one(connection: psycopg.Connection, which: LiteralString, *values: object) -> Cutover | None:
    from ledger_assets.freeze.state import told

    with told("cut-over", undone="nothing was read"), connection.transaction():
        row = connection.execute(_CUTOVER + which, values or None).fetchone()
    return None if row is None else Cutover(*row)


@contextmanager
def _writing(connection: psycopg.Connection) -> Iterator[Cursor]:
    with (
        plain_errors("cut-over", undone="nothing was changed (is another cut-over open?)"),
        connection.transaction(),
        connection.cursor() as cur,
    ):
        yield cur
