"""Our side of a comparison, in a process of its own: the engine's steps called one after the other, each timed.

``python -m benchmarks.ours "schema export ledger load proof"``; settings from the environment, as everywhere. Prints
one JSON object: seconds by step, counts, and the peak of its own memory. ``files`` downloads the attachments.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger_assets import connections
from ledger_assets.environment import Environment, read_settings
from ledger_assets.extract.attachments import download_attachments, inventory_key, read_inventory
from ledger_assets.extract.export import latest_export
from ledger_assets.extract.run import export_base
from ledger_assets.ledger.build import build_ledger
from ledger_assets.ledger.store import latest_ledger
from ledger_assets.load import schema
from ledger_assets.load.load import load
from ledger_assets.proof.reconcile import reconcile
from ledger_assets.tables import SPECS

if TYPE_CHECKING:
    import psycopg


def peak_megabytes() -> float:
    """The peak of this process's memory. It starts no others. (``ru_maxrss`` would begin with its parent's.)"""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


class Lane:
    """The steps, by name; a step that comes twice is timed as ``<name> again``."""

    def __init__(self) -> None:
        self.settings = read_settings(Environment.STAGING)
        self.store = connections.object_store(self.settings)
        self.found: dict[str, Any] = {"seconds": {}}

    def run(self, name: str) -> None:
        """Run and time one step."""
        step: Callable[[str], None] = getattr(self, name)
        label = f"{name} again" if name in self.found["seconds"] else name
        started = time.monotonic()
        step(label)
        self.found["seconds"][label] = round(time.monotonic() - started, 3)

    def schema(self, _label: str) -> None:
        """Our migrations, into a database that has none."""
        with self._database() as connection:
            schema.apply(connection)

    def export(self, label: str) -> None:
        """The whole base."""
        with connections.airtable_client(self.settings) as client:
            manifest = export_base(client, self.store, environment="staging")
        pages, comments = sum(t.pages for t in manifest.tables), sum(t.comments for t in manifest.tables)
        self.found[label] = {
            "records": sum(t.records for t in manifest.tables),
            "pages": pages,
            "comments": comments,
            "calls": manifest.calls,
        }

    def files(self, _label: str) -> None:
        """The files that the records name."""
        with connections.airtable_client(self.settings) as client:
            download_attachments(client, self.store, latest_export(self.store))

    def ledger(self, _label: str) -> None:
        """The typed tables."""
        export = latest_export(self.store)
        has = self.store.size(inventory_key(export.export_id)) is not None
        inventory = read_inventory(self.store, export.export_id) if has else None
        build_ledger(self.store, export, specs=SPECS, inventory=inventory)

    def load(self, label: str) -> None:
        """The atomic load, committed."""
        with self._database() as connection:
            before = _wal(connection)
            report = load(
                connection,
                self.store,
                latest_export(self.store),
                latest_ledger(self.store),
                environment="staging",
                specs=SPECS,
                run_id="bench",
                first_month=self.settings.first_month,
            )
            self.found[label] = {"written": report.written, "wal": _wal(connection) - before}
        failed = sorted({check.name for check in report.checks if not check.passed})
        if not report.committed:
            raise RuntimeError(f"the load was rolled back: {failed}")

    def proof(self, label: str) -> None:
        """The proof, read back."""
        with self._database() as connection:
            proof = reconcile(
                connection,
                store=self.store,
                export=latest_export(self.store),
                ledger=latest_ledger(self.store),
                specs=SPECS,
            )
        failed = sorted({check.name for check in proof.checks if not check.passed})
        self.found[label] = {"failed": failed}

    def _database(self) -> Any:
        return connections.database(self.settings, purpose="bench")


def _wal(connection: psycopg.Connection) -> int:
    row = connection.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
    connection.rollback()
    assert row is not None
    return int(row[0])


def main(steps: str) -> None:
    """Run the steps and print what was found."""
    # As where we are installed: it belongs to the tests. Pandera imports it wherever it is, which took 0.12 s of a lane; the
    # peer's environment holds the peer alone.
    sys.modules["hypothesis"] = None  # type: ignore[assignment] # what makes an import of it fail
    lane_ = Lane()
    for step in steps.split():
        lane_.run(step)
    print(json.dumps({**lane_.found, "megabytes": round(peak_megabytes(), 1)}))


if __name__ == "__main__":
    main(sys.argv[1])
