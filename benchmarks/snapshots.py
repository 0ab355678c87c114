"""Our side of the snapshot's comparison, in a process of its own: ``python -m benchmarks.snapshots setup|take|verify``.

Settings from the environment, as everywhere; ``verify`` takes the newest snapshot that is there. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys

from ledger_assets import connections
from ledger_assets.backup import catalogue
from ledger_assets.backup.place import open_place
from ledger_assets.backup.settings import read_backup_settings
from ledger_assets.backup.take import take
from ledger_assets.backup.vault import open_vault, set_up_key
from ledger_assets.backup.verify import verify
from ledger_assets.environment import Environment, read_settings


def main(what: str) -> None:
    """Make the key; take a snapshot of the staging database; or restore and compare the newest one."""
    settings = read_settings(Environment.STAGING)
    if what == "setup":
        backup = read_backup_settings(settings)
        set_up_key(open_vault(backup), backup)
        return
    place = open_place(settings)
    if what == "take":
        with connections.database_url(settings) as url:
            manifest = take(place, connections.object_store(settings), url, kind="full", reason="benchmark")
    else:
        newest = catalogue.read(place).snapshots[-1]
        manifest = newest.manifest
        done = verify(place, newest)
        if not done.passed:
            raise RuntimeError(f"the snapshot does not restore exactly: {done.problems[0]}")
    print(json.dumps({"rows": manifest.rows, "bytes": manifest.bytes}))


if __name__ == "__main__":
    main(sys.argv[1])
