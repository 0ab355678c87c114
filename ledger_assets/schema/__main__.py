"""``python -m ledger_assets.schema``: write ``expected.json`` anew from the migrations, in a cluster of its own."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from ledger_assets.demo.postgres import Cluster
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply, apply_stand_in
from ledger_assets.schema.expected import FILE, dumped


def main() -> None:
    """Make it; the same migrations give the same file."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder), durable=False)
        cluster.start()
        try:
            # The roles come with a database of their own: a scratch database has none of the rest.
            cluster.ensure_database("roles")
            cluster.ensure_database("expected", shim=False)
            with connect(cluster.url("expected"), application_name="ledger:schema") as connection:
                apply_stand_in(connection)
                apply(connection)
                FILE.write_text(dumped(connection), "utf-8")
        finally:
            cluster.stop()
    sys.stdout.write(f"{FILE.name} written\n")


if __name__ == "__main__":
    main()
