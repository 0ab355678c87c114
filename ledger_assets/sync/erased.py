"""When people had themselves erased: a sync never guesses what of others' cells must go, or may come back.

Which cells repeat an erased person's words follows from the links of the whole base, as only a full export reads them. So
while such a person stands in Airtable still, every sync is a full export: delete them there, and syncs are short again.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger_assets.extract.export import Export
from ledger_assets.extract.leave_out import quoted
from ledger_assets.sync.payloads import FullExportNeeded
from ledger_assets.sync.spread import TableNow


def nobody_there(export: Export, erased: Mapping[str, frozenset[str]]) -> None:
    """Raise :class:`FullExportNeeded` when people had themselves erased whom the export still knows: what of others' cells
    must go or may come back follows from the links of the whole base."""
    if any(table.erased or table.redacted for table in export.manifest.tables):
        raise FullExportNeeded(
            "people who had themselves erased stand in the base still, or stood there at the last export"
        )
    for table_id, ids in erased.items():
        if any(table.id == table_id for table in export.manifest.tables):
            known = export.index(table_id)["record_id"]
            if known.is_in(list(ids)).any():
                raise FullExportNeeded("the newest export holds people who had themselves erased since")


def nobody_returned(now: Mapping[str, TableNow], erased: Mapping[str, frozenset[str]]) -> None:
    """Raise :class:`FullExportNeeded` when erased records are back, or somebody links to them."""
    ids = frozenset[str]().union(*erased.values())
    if not ids:
        return
    for table in now.values():
        for one in table.fresh.values():
            if not ids.isdisjoint(quoted(one.raw)):
                raise FullExportNeeded("people who had themselves erased are in the base again")
