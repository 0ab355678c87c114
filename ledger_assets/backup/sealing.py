"""Encrypted objects: sealed on the way into a store, checked on the way out.

What belongs here: age encryption of files and bytes, with the sizes and hashes that a manifest keeps. What does not: keys
(``identity``), what the objects mean (``snapshot``).

Invariants: what is stored is an age file that the stock tool opens; nothing is stored whose size is not exactly what the
format says; plaintext appears under its name only after the whole object was decrypted and equals what was sealed; memory
does not grow with the object.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyrage

from ledger_assets.backup.identity import Identity
from ledger_assets.backup.streams import Raw, Sink, Source, reading
from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.load.ahead import ahead
from ledger_assets.storage import ObjectMissing, ObjectStore

MAGIC = b"age-encryption.org/v1\n"
CHUNK = 64 * 1024
TAG = 16
NONCE = 16


class Damaged(StoreError):
    """A sealed object is missing, or not what was sealed."""


class NotForThisKey(Damaged):
    """A sealed object is whole, but sealed for another key."""


@dataclass(frozen=True)
class Sealed:
    """A sealed object as a manifest keeps it: size and SHA-256 of what is stored and of what is in it."""

    key: str
    size: int
    sha256: str
    plain_size: int
    plain_sha256: str


def seal_file(
    store: ObjectStore,
    key: str,
    path: Path,
    recipients: Sequence[str],
    *,
    folder: Path | None = None,
    create: bool = True,
) -> Sealed:
    """Encrypt the file for ``recipients`` and store it at ``key``. The encrypted copy lies for a moment in ``folder``
    (else beside the file), readable by its owner alone.

    Raises :class:`StoreError` (disk full, store refuses), ObjectExists when ``create`` and the key is taken.
    """
    with (
        path.open("rb") as plain,
        tempfile.NamedTemporaryFile(dir=folder or path.parent, prefix=".sealed-", buffering=0) as file,
    ):
        source, sink = _encrypt(key, plain.read, file, recipients)
        written = os.fstat(file.fileno()).st_size
        if written != sink.size:
            raise StoreError(
                f"object {key} was not sealed: {written} of {sink.size} bytes are on the disk; check it"
            )
        store.put(key, Path(file.name), create=create)
        return _confirmed(store, key, source, sink)


def seal_bytes(
    store: ObjectStore, key: str, data: bytes, recipients: Sequence[str], *, create: bool = True
) -> Sealed:
    """Encrypt ``data`` for ``recipients`` and store it at ``key``. Raises like :func:`seal_file`."""
    out = io.BytesIO()
    source, sink = _encrypt(key, io.BytesIO(data).read, out, recipients)
    store.put(key, out.getvalue(), create=create)
    return _confirmed(store, key, source, sink)


def unseal_to(store: ObjectStore, sealed: Sealed, path: Path, identity: Identity) -> None:
    """Decrypt the object into the file ``path``, which appears only when all of it is what was sealed.

    Raises :class:`Damaged`, :class:`NotForThisKey`, :class:`StoreError`.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".unsealed-")
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            _check(store, sealed, *_decrypt(store, sealed.key, file, identity, sealed))
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def unseal_bytes(store: ObjectStore, sealed: Sealed, identity: Identity) -> bytes:
    """The object decrypted, for small ones. Raises like :func:`unseal_to`."""
    out = io.BytesIO()
    _check(store, sealed, *_decrypt(store, sealed.key, out, identity, sealed))
    return out.getvalue()


def open_bytes(store: ObjectStore, key: str, identity: Identity) -> bytes:
    """A small sealed object that no manifest names. age proves that it is whole, not who sealed it.

    Raises ObjectMissing, :class:`Damaged`, :class:`NotForThisKey`.
    """
    out = io.BytesIO()
    _decrypt(store, key, out, identity, None)
    return out.getvalue()


def open_into(store: ObjectStore, key: str, file: Raw, identity: Identity) -> None:
    """Like :func:`open_bytes`, into an unbuffered file that nobody else sees until this has returned: it fills before
    the end is checked."""
    _decrypt(store, key, file, identity, None)


def plain_size(head: bytes, size: int) -> int | None:
    """Size of what is in an age file of ``size`` bytes that begins with ``head``; None when it is not one."""
    header = _header_size(head)
    payload = size - (header or 0) - NONCE
    chunks = max(1, -(-payload // (CHUNK + TAG)))
    plain = payload - chunks * TAG
    return plain if header is not None and plain >= 0 else None


def _encrypt(
    key: str, read: Callable[[int], bytes], file: Raw, recipients: Sequence[str]
) -> tuple[Source, Sink]:
    source, sink = Source(read), Sink(file)
    try:
        pyrage.encrypt_io(source, sink, _keys(recipients))
    except (pyrage.EncryptError, OSError) as error:
        raise _unwritten(key, source.failed or sink.failed or error) from None
    if failed := source.failed or sink.failed:
        raise _unwritten(key, failed)
    header = _header_size(sink.head)
    whole = (header or 0) + NONCE + source.size + TAG * max(1, -(-source.size // CHUNK))
    if header is None or sink.size != whole:
        raise StoreError(
            f"object {key} was not sealed: encryption gave {sink.size} bytes and not {whole}; check the disk"
        )
    return source, sink


def _confirmed(store: ObjectStore, key: str, source: Source, sink: Sink) -> Sealed:
    """Ask the store what it has: an object that came out shorter or unencrypted must be noticed now."""
    size, first = store.peek(key, len(MAGIC))
    if size != sink.size or first != MAGIC:
        raise Damaged(
            f"object {key} in {store.url} is not what was just stored ({size} of {sink.size} bytes, "
            f"{'' if first == MAGIC else 'not '}encrypted): nothing there can be relied on; check the store"
        )
    return Sealed(key, sink.size, sink.sha256, source.size, source.sha256)


def _decrypt(
    store: ObjectStore, key: str, file: Raw, identity: Identity, sealed: Sealed | None
) -> tuple[Source, Sink]:
    # Read while the piece before is decrypted: a third of the time of a large object.
    source, sink = Source(reading(ahead(store.chunks(key), depth=1))), Sink(file)
    try:
        pyrage.decrypt_io(source, sink, [identity.age])
    except (pyrage.DecryptError, OSError) as error:
        failed = source.failed or sink.failed
        if failed is None:
            while source.read():  # the hash of all that is stored tells a wrong key from a damaged object
                pass
            whole = sealed is None or (source.size, source.sha256) == (sealed.size, sealed.sha256)
            if whole and "No matching keys" in str(error):
                raise NotForThisKey(
                    f"object {key} in {store.url} is sealed for another key than {identity.key_id}: open it with the "
                    "identity that was in use when it was made (keyring/, or the snapshot's own identity.age)"
                ) from None
            raise damaged(store, key) from None
    if failed := source.failed or sink.failed:
        if isinstance(failed, ObjectMissing) and sealed is not None:
            raise Damaged(f"object {key} is missing in {store.url}: {REMEDY}") from None
        if isinstance(failed, StoreError) or not isinstance(failed, Exception):
            raise failed
        raise StoreError(f"object {key} cannot be decrypted here: {_plainly(failed)}") from None
    return source, sink


def _check(store: ObjectStore, sealed: Sealed, source: Source, sink: Sink) -> None:
    if (source.size, source.sha256, sink.size, sink.sha256) != (
        sealed.size,
        sealed.sha256,
        sealed.plain_size,
        sealed.plain_sha256,
    ):
        raise damaged(store, sealed.key)


def _header_size(head: bytes) -> int | None:
    """Bytes of an age header: up to the line of its MAC. Its length varies, pyrage adds a stanza of random length."""
    mac = head.find(b"\n--- ")
    end = head.find(b"\n", mac + 1)
    return end + 1 if head.startswith(MAGIC) and mac >= 0 and end >= 0 else None


def _keys(recipients: Sequence[str]) -> list[pyrage.x25519.Recipient]:
    if not recipients:
        raise SettingsError(
            "nothing is stored without a key to encrypt it for: run `ledger-assets backup setup`"
        )
    try:
        return [pyrage.x25519.Recipient.from_str(text) for text in recipients]
    except pyrage.RecipientError:
        raise SettingsError("BACKUP_RECIPIENTS holds what is not an age recipient (age1...)") from None


def _unwritten(key: str, error: BaseException) -> BaseException:
    if isinstance(error, StoreError) or not isinstance(error, Exception):
        return error  # the store's own words; an interruption stays one
    return StoreError(f"object {key} was not sealed: {_plainly(error)}")


def _plainly(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: make room on this machine's disk, then run this again"
    return f"{type(error).__name__}: run this again"


REMEDY = "use another snapshot, or put back an earlier version of the object"


def damaged(store: ObjectStore, key: str) -> Damaged:
    """The error for a sealed object that is not what was sealed."""
    return Damaged(f"object {key} in {store.url} is damaged, it is not what was sealed: {REMEDY}")
