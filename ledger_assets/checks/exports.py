"""Checks of ``<env>/airtable/*``: is the export complete, is every field declared, is every file here."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from ledger_assets.checks.results import result, spec
from ledger_assets.errors import SourceError

if TYPE_CHECKING:
    from ledger_assets.extract.attachments import AttachmentInventory
    from ledger_assets.extract.export import Export, ExportManifest, TableManifest
    from ledger_assets.extract.schema_check import Drift

COMPLETE = "complete"
DECLARED = "fields_declared"
FILES = "files_present"


def export_specs(asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of one exported table."""
    return [
        spec(
            asset,
            COMPLETE,
            "The stored pages hold every record id of the manifest, each once, with its hash.",
        ),
        spec(
            asset,
            DECLARED,
            "Every field is declared mapped, derived or raw only; none is missing or retyped.",
        ),
    ]


def files_spec(asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check of the attachments."""
    return spec(
        asset, FILES, "Every file of every own attachment field is stored, with its size and SHA-256."
    )


def export_results(
    asset: dg.AssetKey, exported: "Export", table: "TableManifest", drift: "Sequence[Drift]"
) -> list[dg.AssetCheckResult]:
    """Results of the checks of one exported table."""
    from ledger_assets.extract.schema_check import DriftKind

    found = [d for d in drift if d.table == table.name]
    fails = [d for d in found if d.kind is not DriftKind.RENAMED]
    records, ids_sha256 = stored(exported, table.id)
    return [
        result(
            asset,
            COMPLETE,
            (records, ids_sha256) == (table.records, table.ids_sha256),
            {"manifest": table.records, "stored": records, "export": exported.export_id},
        ),
        result(
            asset, DECLARED, not fails, {"drift": [f"{d.detail}: {d.remedy(asset.path[0])}" for d in found]}
        ),
    ]


def stored(exported: "Export", table_id: str) -> tuple[int, str]:
    """How many records the stored pages hold, and the hash of their ids, both read back from the store."""
    ids = sorted(record.id for record in exported.records(table_id))
    return len(ids), hashlib.sha256("".join(f"{i}\n" for i in ids).encode()).hexdigest()


def refuse_missing(names: Collection[str], tables: Mapping[str, str]) -> None:
    """Raise SourceError when the base no longer has a table that has an asset: its asset would stay green."""
    if names:
        gone = ", ".join(sorted(tables[name] for name in names))
        raise SourceError(
            f"the base has no table {gone}: put it back, or accept the base as it is: ledger-assets inventory ENV --accept"
        )


def refuse_unplaced(drift: "Sequence[Drift]") -> None:
    """Raise SourceError for drift of tables that have no asset yet, and so no check that could turn red."""
    if drift:
        raise SourceError(
            f"{drift[0].detail}: write a module for it in ledger_assets/tables, or a line in raw_only.py there"
        )


def table_metadata(manifest: "ExportManifest", table: "TableManifest") -> dict[str, Any]:
    """What a person wants to know of one exported table."""
    return {
        "dagster/row_count": table.records,
        "export": manifest.export_id,
        "airtable_table": table.id,
        "airtable_name": table.name,
        "pages": table.pages,
        "comments": table.comments,
        "restarts": table.restarts,
        "ids_sha256": table.ids_sha256,
        "content_sha256": table.content_sha256,
        "final": manifest.final,
        "continued": manifest.continued or "no",
        "synced_from": manifest.synced_from or "no",
    }


def files_metadata(export_id: str, inventory: "AttachmentInventory") -> dict[str, Any]:
    """What a person wants to know of the files."""
    stored = {e.sha256: e.size for e in inventory.entries if e.sha256}
    return {
        "export": export_id,
        "attachments": len(inventory.entries),
        "files": len(stored),
        "bytes": sum(stored.values()),
    }


def files_result(asset: dg.AssetKey, inventory: "AttachmentInventory") -> dg.AssetCheckResult:
    """Result of the check of the attachments."""
    missing = [e for e in inventory.entries if e.sha256 is None]
    return result(
        asset,
        FILES,
        not missing,
        {
            "missing": len(missing),
            "ids": [f"{e.attachment_id} ({e.problem}) in {e.record_id}" for e in missing],
        },
    )
