"""The freeze as it is now, read from its one row.

What belongs here: reading. What does not: changing it (``act``, ``token``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, LiteralString

import psycopg

from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor, plain_errors
from ledger_assets.moment import utc

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["none", "manual", "lease", "held", "ran_out"]

ROW: LiteralString = """
select private.is_frozen(m), m.frozen, m.reason, m.who, m.since, m.until, m.token, m.lease_until, m.held, m.cutover,
  clock_timestamp()
from migration.maintenance m
"""


@dataclass(frozen=True)
class Frozen:
    """One row of ``migration.maintenance``; ``live``: whether writing is refused now, by the database's own clock."""

    live: bool
    frozen: bool
    """What the row says; True and not ``live``: a freeze that has run out."""
    reason: str | None
    who: str | None
    since: datetime | None
    until: datetime | None
    """Of a lease the planned end, told to people only."""
    token: int
    lease_until: datetime | None
    held: bool
    cutover: str | None
    at: datetime
    """When this was read."""

    @property
    def kind(self) -> Kind:
        """manual: the owner's; lease: a cut-over's; held: one that cannot run out; ran_out: over by itself."""
        if not self.frozen:
            return "none"
        if not self.live:
            return "ran_out"
        if self.held:
            return "held"
        return "manual" if self.lease_until is None else "lease"

    @property
    def leased(self) -> bool:
        """True while a cut-over's freeze holds."""
        return self.kind in ("lease", "held")

    @property
    def abandoned(self) -> bool:
        """Held, and nobody renews it any more: the process that held it is gone."""
        return self.kind == "held" and (self.lease_until is None or self.lease_until < self.at)

    def document(self) -> Mapping[str, Any]:
        """For ``--json``."""
        return {"kind": self.kind, **asdict(self)}

    def described(self) -> str:
        """Which freeze it is, for a refusal."""
        since = "" if self.since is None else f" since {utc(self.since)}"
        if self.kind == "none":
            return "no freeze"
        if self.cutover is None:
            return f"the manual freeze of {self.who or 'somebody'}{since}"
        return f"the freeze of cut-over {self.cutover}{since}"


@contextmanager
def told(what: str, *, undone: str) -> Iterator[None]:
    """Errors of Postgres as TargetError; what is missing there is our schema, and that is said."""
    with plain_errors(what, undone=undone):
        try:
            yield
        except (
            psycopg.errors.UndefinedTable,
            psycopg.errors.UndefinedColumn,
            psycopg.errors.UndefinedFunction,
            psycopg.errors.InvalidSchemaName,
        ):
            raise TargetError(
                f"{what}: the database lacks our schema; run: ledger-assets schema apply ENV (if it is the right database)"
            ) from None


def state(connection: psycopg.Connection) -> Frozen:
    """The freeze now. Raises TargetError."""
    with told("freeze", undone="nothing was read"), connection.transaction():
        return read(connection.cursor(row_factory=psycopg.rows.tuple_row))


def read(cur: Cursor, lock: LiteralString = "") -> Frozen:
    """The row inside the caller's transaction. ``lock``: ``for update`` and the like."""
    row = cur.execute(ROW + lock).fetchone()
    if row is None:
        raise TargetError(
            "migration.maintenance has lost its one row: apply the schema (ledger-assets schema verify ENV)"
        )
    return Frozen(*row)
