"""``base.json`` in ``LEDGER_HOME``: the base's metadata as last accepted.

It resolves the names in table modules to ids (a rename is seen as one) and gives the asset keys of any base
without opening a socket. Written whole or not at all.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from ledger_assets.errors import SettingsError
from ledger_assets.extract.metadata import BaseMeta, parse_metadata

FILE = "base.json"


def read(home: Path) -> BaseMeta | None:
    """The pinned metadata, None when nothing was pinned. Raises :class:`SettingsError` for a damaged file."""
    try:
        document = json.loads((home / FILE).read_bytes())
        return parse_metadata(document["base_id"], json.dumps(document["metadata"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f"{home / FILE} is not a pinned base: delete it, then run: ledger-assets inventory ENV"
        ) from None


def accept(home: Path, base_id: str, metadata: str) -> None:
    """Pin the base as it is now, keeping the names by which its tables and fields are known.

    Table modules and asset keys name them as they were first seen: a rename in Airtable must stay resolvable.
    """
    known = read(home)
    document = json.loads(metadata)
    if known is not None and known.base_id == base_id:
        for table in document["tables"]:
            before = known.table_by_id(table["id"])
            if before is None:
                continue
            table["name"] = before.name
            for field in table["fields"]:
                old = before.field_by_id(field["id"])
                if old is not None:
                    field["name"] = old.name
    write(home, base_id, json.dumps(document))


def write(home: Path, base_id: str, metadata: str) -> None:
    """Pin ``metadata``, the text as delivered."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = json.dumps(
        {"base_id": base_id, "metadata": json.loads(metadata)}, indent=1, ensure_ascii=False
    )
    descriptor, name = tempfile.mkstemp(dir=home, prefix=f".{FILE}-")  # created 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(document)
        Path(name).replace(home / FILE)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
