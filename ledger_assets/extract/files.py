"""The transfer of one file: streamed to a temporary file, hashed, compared with its size, then stored by
content.

What belongs here: bytes on their way. What does not: which files, and the inventory. The hosts that serve
files are not Airtable's API: they get neither the token nor a slot of its limit.

Invariants: a file is stored under the hash of what was written; a wrong number of bytes is never stored; no
message holds an address or a file's name.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ledger_assets.errors import StoreError
from ledger_assets.extract.addresses import Address, Addresses, Wanted
from ledger_assets.extract.client import AirtableClient, open_session
from ledger_assets.extract.responses import NO_ANSWER
from ledger_assets.storage import DISK_FULL, ObjectExists, ObjectStore

ATTEMPTS = 4
PIECE_BYTES = 1024 * 1024
EXPIRED = frozenset({401, 403, 410})


class FileProblem(Exception):
    """The file cannot be had; the message says why, for the inventory."""


class _Passing(Exception):
    """A fault that may pass when the file is asked for again."""


class _Expired(Exception):
    """The address does not work any more."""


@dataclass(frozen=True)
class StoredFile:
    """A file in the store."""

    sha256: str
    size: int

    @property
    def key(self) -> str:
        """Key of its object."""
        return f"media/{self.sha256}"


class Downloader:
    """Fetches files into the store. Safe to use from several threads."""

    def __init__(
        self, client: AirtableClient, store: ObjectStore, addresses: Addresses, folder: Path
    ) -> None:
        self._client = client
        self._store = store
        self._addresses = addresses
        self._folder = folder
        self._session = open_session(client.endpoint_url)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def fetch(self, one: Wanted) -> StoredFile:
        """Fetch and store the file. Raises :class:`FileProblem` when it cannot be had."""
        try:
            with tempfile.NamedTemporaryFile(dir=self._folder) as file:
                stored = self._transfer(one, Path(file.name))
                return self._keep(stored, Path(file.name))
        finally:
            self._addresses.done(one)

    def _transfer(self, one: Wanted, path: Path) -> StoredFile:
        address = self._address(one)
        renewed = False
        faults = 0
        while True:
            try:
                return self._once(one, address, path)
            except _Expired as error:
                if renewed:
                    raise FileProblem(str(error)) from None
                renewed = True
                address = self._address(one, refused=address)
            except _Passing as error:
                faults += 1
                if faults == ATTEMPTS:
                    raise FileProblem(f"{error}; {ATTEMPTS} attempts") from None
                self._client.clock.sleep(2.0 ** (faults - 1))

    def _address(self, one: Wanted, refused: Address | None = None) -> Address:
        address = self._addresses.get(one, refused=refused)
        if address is None:
            raise FileProblem("the record or the attachment has gone from the base since the export")
        return address

    def _once(self, one: Wanted, address: Address, path: Path) -> StoredFile:
        found = hashlib.sha256()
        size = 0
        try:
            with self._session.get(address.url, stream=True, timeout=self._client.timeouts) as response:
                _accept(response.status_code)
                with path.open("wb") as file:
                    for piece in response.iter_content(PIECE_BYTES):
                        size += len(piece)
                        if size > one.size:
                            break
                        found.update(piece)
                        file.write(piece)
        except NO_ANSWER as error:  # its text holds the address
            raise _Passing(f"the transfer broke off ({type(error).__name__})") from None
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            raise StoreError(
                f"the file of attachment {one.attachment_id} cannot be written in {path.parent}: {error.strerror}: "
                "make room on its disk, then run this again"
            ) from None
        if size != one.size:
            more = "more than the" if size > one.size else f"{size} of"
            raise _Passing(f"the file has {more} {one.size} bytes that Airtable names")
        return StoredFile(found.hexdigest(), size)

    def _keep(self, file: StoredFile, path: Path) -> StoredFile:
        try:
            self._store.put(file.key, path, create=True)
        except ObjectExists:
            if self._store.size(file.key) != file.size:
                raise StoreError(
                    f"object {file.key} is damaged: its size is not {file.size}; delete it and export again"
                ) from None
        return file


def _accept(status: int) -> None:
    if status in EXPIRED:
        raise _Expired(f"the address was refused ({status}), a fresh one too")
    if status in {408, 425, 429} or status >= 500:
        raise _Passing(f"the file's host answered {status}")
    if status != 200:
        raise FileProblem(f"the file's host answered {status}")
