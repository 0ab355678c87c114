"""What the database knows of its cut-overs: rows of ``migration.cutovers``.

What belongs here: reading and writing those, and saying how far a cut-over came. What does not: its steps (``attempts``),
doing anything about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, LiteralString

from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor, plain_errors

if TYPE_CHECKING:
    import psycopg

Ended = Literal["done", "returned", "abandoned"]
Phase = Literal[
    "lapsed", "frozen", "forced", "loaded", "switched", "returning", "done", "returned", "abandoned"
]
"""``lapsed``: its freeze is over and nothing was loaded; ``frozen``: it is not; ``forced``: it had loaded, and its freeze
was ended by force."""
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


def given_up(connection: psycopg.Connection, cutover: Cutover) -> list[Cutover]:
    """Those that were given up since the last one with an end of its own: the earlier attempts at ``cutover``'s night."""
    from ledger_assets.freeze.state import told

    with told("cut-over", undone="nothing was read"), connection.transaction():
        rows = connection.execute(
            _CUTOVER
            + "where state = 'abandoned' and began_at < %(began)s and began_at > coalesce((select max(began_at) "
            "from migration.cutovers where state <> 'abandoned' and began_at < %(began)s), '-infinity') order by began_at",
            {"began": cutover.began_at},
        ).fetchall()
    return [Cutover(*row) for row in rows]


def of_checkpoint(connection: psycopg.Connection, snapshot_id: str) -> Cutover | None:
    """The one whose way back a snapshot is."""
    return _one(connection, "where checkpoint = %s", snapshot_id)


def begin(
    connection: psycopg.Connection, cutover_id: str, *, who: str, planned_end: datetime, watch_minutes: float
) -> None:
    """Raises TargetError when another is open."""
    with writing(connection) as cur:
        cur.execute(
            "insert into migration.cutovers (cutover_id, who, planned_end, watch_minutes) values (%s, %s, %s, %s)",
            (cutover_id, who, planned_end, watch_minutes),
        )


def join(connection: psycopg.Connection, cutover_id: str, *run_ids: str) -> None:
    """These runs belong to the cut-over."""
    with writing(connection) as cur:
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
    watch_minutes: float | None = None,
) -> None:
    """Keep what the next steps need; None leaves what is there."""
    with writing(connection) as cur:
        cur.execute(
            "update migration.cutovers set token = coalesce(%s, token), checkpoint = coalesce(%s, checkpoint), "
            "export_id = coalesce(%s, export_id), watch_minutes = coalesce(%s, watch_minutes) where cutover_id = %s",
            (token, checkpoint, export_id, watch_minutes, cutover_id),
        )


def returning(connection: psycopg.Connection, cutover_id: str, why: str, checkpoint: str | None) -> None:
    """From now on the only way is back, whoever goes on. Also for one that was done. ``checkpoint``: what is restored."""
    with writing(connection) as cur:
        cur.execute(
            "update migration.cutovers set state = 'returning', ended_at = null, why = %s, checkpoint = %s "
            "where cutover_id = %s",
            (why, checkpoint, cutover_id),
        )


def end(connection: psycopg.Connection, cutover_id: str, how: Ended, why: str | None = None) -> None:
    """It is over."""
    with writing(connection) as cur:
        cur.execute(
            "update migration.cutovers set state = %s, ended_at = clock_timestamp(), why = coalesce(%s, why) "
            "where cutover_id = %s",
            (how, why, cutover_id),
        )


def phase(connection: psycopg.Connection, cutover: Cutover) -> Phase:
    """How far it came, by what was committed."""
    from ledger_assets import freeze, switch

    if cutover.state != "open":
        return cutover.state  # type: ignore[return-value]  # the table's check: every other state is a phase
    live, frozen = switch.live(connection), freeze.state(connection)
    if live.source == "supabase" and live.run_id in cutover.runs:
        return "switched"
    if frozen.cutover != cutover.id or not frozen.live:
        return "forced" if has_loaded(connection, cutover) else "lapsed"
    return "loaded" if frozen.held else "frozen"


def has_loaded(connection: psycopg.Connection, cutover: Cutover) -> bool:
    """Is a load of its own in the database? Once its checkpoint is restored none is."""
    with plain_errors("cut-over", undone="nothing was read"), connection.transaction():
        found = connection.execute(
            "select from migration.loads where run_id = any (%s) and committed_at is not null limit 1",
            (cutover.runs,),
        ).fetchone()
    return found is not None


def _one(connection: psycopg.Connection, which: LiteralString, *values: object) -> Cutover | None:
    from ledger_assets.freeze.state import told

    with told("cut-over", undone="nothing was read"), connection.transaction():
        row = connection.execute(_CUTOVER + which, values or None).fetchone()
    return None if row is None else Cutover(*row)


@contextmanager
def writing(connection: psycopg.Connection) -> Iterator[Cursor]:
    """A transaction on these rows. Raises TargetError."""
    with (
        plain_errors("cut-over", undone="nothing was changed (is another cut-over open?)"),
        connection.transaction(),
        connection.cursor() as cur,
    ):
        yield cur
