"""What the proof says of files, as data. How it is found out is ``files``; the rest of what a proof says is ``model``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from ledger_assets.proof.verdicts import NOTHING, Named


@dataclass(frozen=True)
class FilesProof:
    """Attachments of own attachment fields against the inventory and the stored objects. Named: attachment
    ids."""

    cells: int = 0
    attachments: int = 0
    files: int = 0
    """Distinct stored objects whose hash was computed again."""
    size: int = 0
    missing: Named = NOTHING
    """No inventory entry, no stored object, or reported as not to be had."""
    damaged: Named = NOTHING
    """The stored object is not of that size or hash."""
    not_in_postgres: Named = NOTHING
    """The inventory kept in Postgres lacks the attachment or names another hash."""
    inventory_differs: Named = NOTHING
    """The inventory kept in Postgres says something else than the export's (name, size, type, hash, place)."""
    inventory_extra: Named = NOTHING
    """The inventory kept in Postgres has an attachment that the export has not."""
    reasons: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def problems(self) -> tuple[tuple[str, Named], ...]:
        """What is wrong, in words."""
        return (
            ("missing", self.missing),
            ("damaged", self.damaged),
            ("not in Postgres", self.not_in_postgres),
            ("not what the export says in Postgres", self.inventory_differs),
            ("in Postgres and not in the export", self.inventory_extra),
        )

    @property
    def passed(self) -> bool:
        """Whether every attachment's file is there, whole, and Postgres says the same of it."""
        return not any(found for _, found in self.problems)
