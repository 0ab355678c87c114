"""What the commands print after a run: a few lines from the run's reports. Counts and names only."""

from __future__ import annotations

from typing import Any

from ledger_assets import connections, reports
from ledger_assets.cli.session import console
from ledger_assets.cli.tables import table
from ledger_assets.environment import Settings
from ledger_assets.storage import ObjectStore


def load_line(document: dict[str, Any]) -> str:
    """One line of a load: ``5,812 rows written (...), committed``."""
    total = _sum(
        [
            *document["tables"].values(),
            *document["raw"].values(),
            document["comments"],
            document["attachments"],
        ]
    )
    written = total["inserted"] + total["updated"] + total["deleted"]
    failed = [c for c in document["checks"] if not c["passed"]]
    how = "committed" if document["committed"] else "rolled back"
    return (
        f"{written:,} rows written ({total['inserted']:,} new, {total['updated']:,} changed, {total['deleted']:,} marked "
        f"deleted), {total['unchanged']:,} unchanged, {total['conflicts']:,} conflicts, "
        f"{len(document['checks']) - len(failed)} of {len(document['checks'])} checks passed, {how}"
    )


def proof_line(document: dict[str, Any]) -> str:
    """One line of a proof."""
    return str(document["headline"])


def restore_line(document: dict[str, Any], environment: str) -> str:
    """One line of a restore."""
    done = document["restores"]
    counts = {name: sum(one[name] for one in done) for name in ("inserted", "updated", "deleted")}
    return (
        f"{counts['inserted']:,} rows brought back, {counts['updated']:,} replaced, {counts['deleted']:,} removed; the way "
        f"back: ledger-assets restore {environment} --undo {', '.join(str(one['undo_id']) for one in done)}"
    )


def print_load(settings: Settings, run_id: str, name: str = "load") -> None:
    """The load's counts per table."""
    document = reports.read(connections.object_store(settings), run_id, name)
    shown = table("table", ">rows", ">new", ">changed", ">unchanged", ">conflicts", ">deleted", ">left out")
    raw = _sum([*document["raw"].values()])
    for name, counts in {"airtable.records": raw, **document["tables"]}.items():
        columns = ("staged", "inserted", "updated", "unchanged", "conflicts", "deleted", "left_out")
        shown.add_row(name, *(f"{counts[c]:,}" for c in columns))
    console.print(shown)
    console.print(load_line(document))


def print_dry_run(settings: Settings, run_id: str) -> None:
    """What a migration would do, and where its page is."""
    print_load(settings, run_id, "dry_run")
    console.print(f"the report: {reports.place(connections.object_store(settings), run_id, 'dry_run')}")


def print_migration(settings: Settings, run_id: str) -> None:
    """What the run loaded and proved, as far as it came: its checks may have failed before."""
    store = connections.object_store(settings)
    if reports.exists(store, run_id, "load"):
        print_load(settings, run_id)
    if reports.exists(store, run_id, "proof"):
        console.print(proof_line(reports.read(store, run_id, "proof")))
        console.print(f"the proof: {reports.place(store, run_id, 'proof')}")


def latest(store: ObjectStore, name: str) -> str | None:
    """Where the newest page ``name`` is for a person, by the time it was written."""
    return reports.newest(store, f"{name}.html")


def print_export(settings: Settings) -> None:
    """The latest export's counts per table."""
    from ledger_assets.extract.attachments import read_inventory
    from ledger_assets.lane import newest_export

    store = connections.object_store(settings)
    export = newest_export(settings, store)
    shown = table("table", ">records", ">pages", ">comments")
    for entry in export.manifest.tables:
        shown.add_row(entry.name, f"{entry.records:,}", f"{entry.pages:,}", f"{entry.comments:,}")
    console.print(shown)
    inventory = read_inventory(store, export.export_id)
    files = {e.sha256 for e in inventory.entries if e.sha256}
    console.print(
        f"{export.export_id}: {sum(t.records for t in export.manifest.tables):,} records, {len(files):,} files, "
        f"{export.manifest.calls} calls, in {settings.object_store_url}"
        + (f"; continued from {export.manifest.continued[11:16]} UTC" if export.manifest.continued else "")
    )


def _sum(counts: list[dict[str, int]]) -> dict[str, int]:
    names = ("staged", "inserted", "updated", "unchanged", "conflicts", "deleted", "returned", "left_out")
    return {name: sum(c[name] for c in counts) for name in names}
