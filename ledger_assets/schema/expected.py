"""The catalogue that the migrations make, as it is shipped with a release (``expected.json``).

What belongs here: writing and reading that file. What does not: making a scratch database (``lane``).

Invariants: the file says which migrations it was made of, and is refused when they are others; a test makes it anew
and fails when it differs.
"""

from __future__ import annotations

import json
from pathlib import Path

import psycopg

from ledger_assets.errors import TargetError
from ledger_assets.load.schema import fingerprint
from ledger_assets.schema.catalogue import Catalogue, Item, read

FILE = Path(__file__).with_name("expected.json")


def dumped(connection: psycopg.Connection) -> str:
    """The file's text, from a database with all migrations applied and nothing else."""
    made = read(connection)
    rows = [[item.kind, item.name, item.parent, item.definition] for item in made.items]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f'{{"migrations": "{fingerprint()}", "major": {made.major}, "items": [\n{lines}\n]}}\n'


def shipped() -> Catalogue:
    """The release's own. Raises TargetError where it is missing or was made of other migrations."""
    try:
        document = json.loads(FILE.read_text("utf-8"))
    except FileNotFoundError:
        document = {}
    if document.get("migrations") != fingerprint():
        raise TargetError(
            "the expected catalogue of this installation was not made of its migrations: install ledger-assets "
            "again (in a checkout: python -m ledger_assets.schema)"
        )
    return Catalogue(document["major"], tuple(Item(*row) for row in document["items"]))
