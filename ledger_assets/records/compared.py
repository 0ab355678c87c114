"""Two inventories beside each other: what was there before, what is there now, the difference."""

from __future__ import annotations

from dataclasses import dataclass

from ledger_assets.records.database import DatabaseInventory


@dataclass(frozen=True)
class Change:
    """One figure at two moments; None: it was not counted then, or the table did not exist."""

    what: str
    before: int | None
    after: int | None

    @property
    def difference(self) -> int | None:
        """After minus before."""
        return None if self.before is None or self.after is None else self.after - self.before


def compare(before: DatabaseInventory, after: DatabaseInventory) -> list[Change]:
    """Every figure of either, those that did not change too."""
    old, new = _figures(before), _figures(after)
    return [Change(name, old.get(name), new.get(name)) for name in dict.fromkeys([*new, *old])]


def changed(changes: list[Change]) -> list[Change]:
    """Those that differ."""
    return [one for one in changes if one.before != one.after]


def _figures(found: DatabaseInventory) -> dict[str, int | None]:
    return {**found.tables, **found.relations, **found.accounts, **found.projects}
