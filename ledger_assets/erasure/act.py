"""Carrying an erasure out everywhere: in Postgres, on the list, in what is stored, and saying where the person is still.

What belongs here: the order of these steps for one environment. What does not: how a step works (the modules beside this
one), what other steps ask of what was erased (``ledger_assets.erased``).

Invariant: Postgres first, because there it is one transaction; interrupted after that, the next export, load or erasure
brings the list up to date and purges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ledger_assets import connections, erased, people
from ledger_assets.erasure.model import Erasure
from ledger_assets.erasure.purge import Purged
from ledger_assets.erasure.report import Holding, report
from ledger_assets.erasure.requests import carry_out
from ledger_assets.errors import SettingsError

if TYPE_CHECKING:
    from ledger_assets.environment import Settings
    from ledger_assets.storage import ObjectStore


@dataclass(frozen=True)
class Done:
    """An erasure that was carried out; ``lines``: what is left: in the app's stores, of accounts, in snapshots."""

    counts: dict[str, Any]
    purged: Purged
    lines: tuple[str, ...]


def erase(settings: Settings, store: ObjectStore, request_id: str, *, who: str) -> Done:
    """Carry the request out. Raises TargetError when there is no such open request."""
    with connections.database(settings, purpose="erase") as connection:
        counts = carry_out(connection, request_id, who)
    every = erased.known(settings)
    purged = erased.purge(settings, store, every)
    mine = [one for one in every if one.request_id == request_id]
    outside = [*people.remove_unnamed_media(settings), *people.remove_accounts_of_erased(settings, who=who)]
    return Done(counts, purged, (*outside, *still_held(settings, mine)))


def try_out(settings: Settings, request_id: str, *, who: str) -> dict[str, Any]:
    """What carrying it out would take from Postgres; rolled back."""
    with connections.database(settings, purpose="erase") as connection:
        return carry_out(connection, request_id, who, commit=False)


def still_held(settings: Settings, erasures: Sequence[Erasure], now: datetime | None = None) -> list[str]:
    """Which snapshots hold the erased still, and until when."""
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place
    from ledger_assets.erasure.expiry import expiries

    if not erasures:
        return []
    try:
        place = open_place(settings)
    except SettingsError as error:
        return [f"which snapshots hold them still cannot be asked: {error}"]
    at = now or datetime.now(UTC)
    found = catalogue.read(place)
    kept = [snapshot.kept(at) for snapshot in found.snapshots]
    ends = expiries(kept, place.backup.retention, at, place.backup.timezone)
    lines = report(erasures, [Holding(one.id, one.taken_at, ends[one.id]) for one in kept])
    return [*lines, *(f"not counted: {line}" for line in found.refused)]
