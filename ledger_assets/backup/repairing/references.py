"""Foreign keys that are made again: rows that refer to what is no longer there are settled as the key itself would have.

What belongs here: finding them, and what the key's own ON DELETE says of them. What does not: making the key (``make``).

Invariants: a live value is only taken away where what it referred to is gone for good (its table was lost, and the
snapshot is older) or where it came from the snapshot; a live row is never removed; everything else is refused by id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger_assets.backup.repairing import definitions, values
from ledger_assets.backup.repairing.work import Work, columns_of, filled
from ledger_assets.schema.catalogue import Item

_KEY = re.compile(
    r"FOREIGN KEY \((?P<columns>.+?)\) REFERENCES (?P<parent>[^(]+)\((?P<targets>.+?)\)(?P<rest>.*)"
)


@dataclass(frozen=True)
class Reference:
    """A foreign key, taken apart."""

    item: Item
    child: str
    parent: str
    columns: tuple[str, ...]
    targets: tuple[str, ...]
    on_delete: str

    @property
    def orphans(self) -> str:
        """True of rows of the child that refer to nothing."""
        present = " and ".join(f"t.{c} is not null" for c in self.columns)
        same = " and ".join(f"p.{p} = t.{c}" for c, p in zip(self.columns, self.targets, strict=True))
        return filled("orphans", present=present, parent=self.parent, same=same)


def settle(work: Work, missing: Sequence[Item]) -> None:
    """Before the keys are made. Raises TargetError naming the rows that nobody may decide about."""
    keys = [read(item) for item in missing]
    # A row that goes may be what another refers to.
    while sum(_settle(work, key) for key in keys):
        pass
    for key in keys:
        values.refuse_rows(
            work, key.child, key.orphans, f"{key.item.key}: rows that refer to what is not in {key.parent}"
        )


def read(item: Item) -> Reference:
    """Take it apart."""
    found = _KEY.fullmatch(item.definition)
    assert found is not None
    action = re.search(r"ON DELETE (CASCADE|SET NULL)", found["rest"])
    return Reference(
        item,
        definitions.relation(item),
        found["parent"],
        tuple(found["columns"].split(", ")),
        tuple(found["targets"].split(", ")),
        action[1] if action else "",
    )


def _settle(work: Work, key: Reference) -> bool:
    ours = key.child in work.made_tables
    from_snapshot = ours or set(key.columns) & set(work.remade.get(key.child, ()))
    columns = columns_of(work.wanted, key.child)
    if key.on_delete == "CASCADE" and ours:
        done = values.change(work, key.child, filled("remove_orphans", table=key.child, orphans=key.orphans))
        told = "rows of the snapshot stay out: what they belonged to is gone"
    elif (
        key.on_delete == "SET NULL"
        and (from_snapshot or key.parent in work.made_tables)
        and not any(columns[c].not_null for c in key.columns)
    ):
        empty = ", ".join(f"{c} = null" for c in key.columns)
        done = values.change(
            work, key.child, filled("empty_orphans", table=key.child, values=empty, orphans=key.orphans)
        )
        told = f"values of {', '.join(key.columns)} emptied: what they referred to is gone"
    else:
        return False
    if done:
        work.lines.append(f"table {key.child}: {done} {told}")
    return done > 0
