"""A store outside this machine in which everything is encrypted: exports, ledger files, media, reports.

What belongs here: the same interface as ``ObjectStore``, over encrypted objects ``<key>.age``. What does not: snapshots,
whose manifest keeps sizes and hashes (``sealing``).

Invariants: no plaintext reaches the store; what is read is given on only after all of it was decrypted, from a file
without a name; sizes are those of the plaintext.
"""

from __future__ import annotations

import builtins
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from ledger_assets.backup import sealing
from ledger_assets.backup.identity import Identity
from ledger_assets.storage import PART_BYTES, ObjectExists, ObjectInfo, ObjectMissing, ObjectStore

SUFFIX = ".age"
HEAD = 4096
"""Holds the header of some 30 recipients."""
AT_ONCE = 8


class SealedStore(ObjectStore):
    """Encrypts every put and decrypts every get. ``folder``: private, for what is being decrypted."""

    def __init__(
        self, inner: ObjectStore, identity: Identity, recipients: Sequence[str], folder: Path
    ) -> None:
        self.url = inner.url
        self._inner = inner
        self._identity = identity
        self._recipients = tuple(recipients)
        self._folder = folder

    def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:
        """Encrypt and write. Raises like :meth:`ObjectStore.put`."""
        if (
            create and self._inner.size(key + SUFFIX) is not None
        ):  # before a large file is encrypted for nothing
            raise ObjectExists(f"object {key} exists already in {self.url}")
        if isinstance(data, bytes):
            sealing.seal_bytes(self._inner, key + SUFFIX, data, self._recipients, create=create)
        else:
            sealing.seal_file(
                self._inner, key + SUFFIX, data, self._recipients, folder=self._folder, create=create
            )

    def get(self, key: str) -> bytes:
        """The object's bytes, decrypted. Raises ObjectMissing, Damaged."""
        try:
            return sealing.open_bytes(self._inner, key + SUFFIX, self._identity)
        except ObjectMissing:
            raise self._missing(key) from None

    def chunks(self, key: str) -> Iterator[bytes]:
        """The object's bytes in pieces: the first comes when the last was decrypted. Raises ObjectMissing, Damaged."""
        with tempfile.TemporaryFile(dir=self._folder, buffering=0) as file:
            try:
                sealing.open_into(self._inner, key + SUFFIX, file, self._identity)
            except ObjectMissing:
                raise self._missing(key) from None
            file.seek(0)
            while piece := file.read(PART_BYTES):
                yield piece

    def peek(self, key: str, count: int) -> tuple[int, bytes]:
        """Size and first bytes of the plaintext. Decrypts all of it."""
        data = self.get(key)
        return len(data), data[:count]

    def size(self, key: str) -> int | None:
        """Size of the plaintext, from the encrypted object's header alone; None when there is no such object."""
        try:
            size, head = self._inner.peek(key + SUFFIX, HEAD)
        except ObjectMissing:
            return None
        plain = sealing.plain_size(head, size)
        if plain is None:
            raise sealing.damaged(self._inner, key + SUFFIX)
        return plain

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """All objects below the folder, in key order, with the sizes of their plaintext."""
        found = [
            replace(entry, key=entry.key.removesuffix(SUFFIX))
            for entry in self._inner.list(prefix)
            if entry.key.endswith(SUFFIX)
        ]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sizes = list(pool.map(self.size, [entry.key for entry in found]))
        sized = [
            replace(entry, size=size)
            for entry, size in zip(found, sizes, strict=True)
            if size is not None  # removed since it was listed
        ]
        return iter(sorted(sized, key=lambda entry: entry.key))

    def folders(self, prefix: str) -> builtins.list[str]:
        """Names of the folders right below ``prefix``, sorted."""
        return self._inner.folders(prefix)

    def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        self._inner.delete(key + SUFFIX)

    def _missing(self, key: str) -> ObjectMissing:
        return ObjectMissing(f"object {key} is not in {self.url}")
