"""Reports in the object store: ``reports/<run id>/<name>.json`` for programs, ``.html`` for people.

A report holds counts, names and record ids, never a cell's value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ledger_assets.errors import StoreError
from ledger_assets.moment import kept
from ledger_assets.storage import ObjectMissing, ObjectStore

FOLDER = "reports"


def publish(
    store: ObjectStore, run_id: str, name: str, document: Mapping[str, Any], page: str | None = None
) -> str:
    """Write a report; where a person finds it (the page if there is one)."""
    store.put(f"{FOLDER}/{run_id}/{name}.json", json.dumps(document, indent=1, default=kept).encode())
    if page is None:
        return location(store, f"{FOLDER}/{run_id}/{name}.json")
    store.put(f"{FOLDER}/{run_id}/{name}.html", page.encode())
    return location(store, f"{FOLDER}/{run_id}/{name}.html")


def read(store: ObjectStore, run_id: str, name: str) -> dict[str, Any]:
    """The report ``name`` of a run. Raises StoreError when the run wrote none."""
    try:
        document: dict[str, Any] = json.loads(store.get(f"{FOLDER}/{run_id}/{name}.json"))
    except ObjectMissing:
        raise StoreError(f"run {run_id[:8]} wrote no {name} report") from None
    return document


def exists(store: ObjectStore, run_id: str, name: str) -> bool:
    """Whether the run wrote the report ``name``."""
    return store.size(f"{FOLDER}/{run_id}/{name}.json") is not None


def place(store: ObjectStore, run_id: str, name: str) -> str:
    """Where a person finds the page of a run's report."""
    return location(store, f"{FOLDER}/{run_id}/{name}.html")


def newest(store: ObjectStore, file_name: str) -> str | None:
    """Where the newest report of that file name is for a person; None when there is none."""
    found = [entry for entry in store.list(FOLDER) if entry.key.endswith(f"/{file_name}")]
    return location(store, max(found, key=lambda entry: entry.modified).key) if found else None


def location(store: ObjectStore, key: str) -> str:
    """The object's path on this machine, or its address in the store."""
    parts = urlsplit(store.url)
    return str(Path(url2pathname(parts.path)) / key) if parts.scheme == "file" else f"{store.url}/{key}"
