"""Large frames of a ledger that is being built: in the store while nobody reads them, the last one read in memory.

What belongs here: putting frames away and reading them again. What does not: which frames those are (``source``).

Invariants: what is read again is what was put away, by its hash; what was put away for the build alone is removed with
it. At 500,000 records the frames of all tables together took 400 MB.
"""

from __future__ import annotations

import hashlib
import io

import polars as pl

from ledger_assets.ledger.store import key, verified
from ledger_assets.storage import ObjectStore

LARGE_BYTES = 8 * 1024 * 1024


class Shelf:
    """The frames of one build, by name."""

    def __init__(self, store: ObjectStore, ledger_id: str) -> None:
        self._store = store
        self._ledger_id = ledger_id
        self._hashes: dict[str, str] = {}
        self._last: tuple[str, pl.DataFrame] | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._hashes

    def put(self, name: str, frame: pl.DataFrame) -> bool:
        """Put the frame away when it is large; False when it is not."""
        if frame.estimated_size() < LARGE_BYTES:
            return False
        buffer = io.BytesIO()
        frame.write_ipc(buffer, compression="lz4")
        content = buffer.getvalue()
        self._store.put(self._key(name), content)
        self._hashes[name] = hashlib.sha256(content).hexdigest()
        self._last = (name, frame)
        return True

    def get(self, name: str) -> pl.DataFrame:
        """The frame that was put away. Raises :class:`StoreError` when its object is not what was written."""
        if self._last is None or self._last[0] != name:
            self._last = None  # before the next one is read: never two of them
            content = verified(self._store, self._key(name), self._hashes[name])
            self._last = (name, pl.read_ipc(content))
        return self._last[1]

    def clear(self) -> None:
        """Remove everything."""
        self._last = None
        for name in self._hashes:
            self._store.delete(self._key(name))
        self._hashes.clear()

    def _key(self, name: str) -> str:
        return key(self._ledger_id, f"shelf/{hashlib.sha256(name.encode()).hexdigest()[:16]}.arrow")
