"""The place snapshots are kept, and the key that opens them.

    keyring/<key id>.age                     the identity, protected by the password
    keyring/<key id>-<milliseconds>.age      the same identity after the password was changed

What belongs here: opening the vault, making, finding and re-protecting its key. What does not: what is stored
(``snapshot``), what the key can do (``identity``).

Invariants: no file of the keyring is ever edited; the newest one counts, and a password that opens only an older one is
wrong; a key is made on request alone (the embedded world's at first use), because a new key in an emptied bucket would
look like success.
"""

from __future__ import annotations

import functools
import re
import time
from contextlib import suppress
from pathlib import Path

from ledger_assets.backup.identity import DamagedKey, Identity, create, rewrap, unlock
from ledger_assets.backup.settings import PASSWORD, BackupSettings
from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.storage import ObjectStore, open_store

FOLDER = "keyring"
SNAPSHOTS = "snapshots"
FILE = re.compile(r"keyring/([0-9a-f]{16})(?:-([0-9]{13,}))?\.age")


def open_vault(settings: BackupSettings) -> ObjectStore:
    """The environment's store of snapshots. Raises :class:`SettingsError`."""
    return open_store(settings.bucket.url, settings.bucket, setting="BACKUP_BUCKET")


def password(settings: BackupSettings) -> str:
    """The backups' password: as set, or the embedded world's own, made on first use."""
    from ledger_assets.demo.processes import kept_secret

    return settings.password if settings.password is not None else kept_secret(password_file(settings))


def password_file(settings: BackupSettings) -> Path:
    """Where the embedded world keeps its own."""
    from ledger_assets.demo.processes import private_folder

    return private_folder(settings.home) / f"backup-{settings.environment}.password"


def keyring(vault: ObjectStore, settings: BackupSettings, *, key_id: str | None = None) -> Identity:
    """The vault's key; with ``key_id`` that one, for a snapshot made with an earlier key.

    Raises :class:`SettingsError` when there is none, WrongPassword, DamagedKey.
    """
    held = key_files(vault, key_id)
    if not held:
        if key_id is None:
            _refuse_lost(vault, settings)
        if settings.password is None and key_id is None:
            return set_up_key(vault, settings)
        which = "no key of backups" if key_id is None else f"no key {key_id}"
        raise SettingsError(
            f"{vault.url} holds {which}: check BACKUP_BUCKET; a new bucket is prepared by "
            f"`ledger-assets backup setup {settings.environment}`"
        )
    return _newest(vault, held, password(settings))


def set_up_key(vault: ObjectStore, settings: BackupSettings) -> Identity:
    """The vault's key, made now when it has none. Raises :class:`SettingsError` for a weak or wrong password."""
    secret = password(settings)
    if not key_files(vault):
        _refuse_lost(vault, settings)
        identity, data = create(secret)
        vault.put(f"{FOLDER}/{identity.key_id}.age", data, create=True)
    return _newest(vault, key_files(vault), secret)


def _refuse_lost(vault: ObjectStore, settings: BackupSettings) -> None:
    """Snapshots without a key: it was removed. A new one would open none of them, and they would look forged."""
    if next(vault.list(SNAPSHOTS), None) is not None:
        raise SettingsError(
            f"{vault.url} holds snapshots and no key of theirs: somebody has removed {FOLDER}/. Bring it back: "
            f"`ledger-assets recover {settings.environment} --scenario ransomware` where the bucket keeps versions; else "
            f"any snapshot's identity.age as {FOLDER}/<key_id>.age (its MANIFEST.json tells the key_id)"
        )


def change_password(vault: ObjectStore, settings: BackupSettings, new: str) -> Identity:
    """Protect the vault's key by ``new``; ``settings`` still hold the old password. No snapshot is rewritten, and the
    copy of the key in each snapshot of before still opens by the old password.

    Raises :class:`SettingsError` for a weak new password, WrongPassword for the old one.
    """
    if settings.password is None:
        raise SettingsError(
            f"{PASSWORD} is not set: the embedded world's own password is kept in its home, nobody need change it"
        )
    identity = keyring(vault, settings)
    if new == settings.password:
        raise SettingsError("the new password is the old one: choose another")
    before = key_files(vault, identity.key_id)
    key = f"{FOLDER}/{identity.key_id}-{time.time_ns() // 1_000_000:013}.age"
    vault.put(key, rewrap(identity, new), create=True)
    again = unlock(vault.get(key), new)
    if key_files(vault, identity.key_id)[-1] != key or again.recipient != identity.recipient:
        raise StoreError(
            f"object {key} in {vault.url} is not the newest of the keyring: set this machine's clock, then change the "
            "password again; the old one still counts"
        )
    for old in before:
        vault.delete(old)
    return identity


def wrapped(vault: ObjectStore, identity: Identity) -> bytes:
    """The identity's passphrase file, as a snapshot carries it."""
    held = key_files(vault, identity.key_id)
    if not held:
        raise StoreError(f"{vault.url} holds no key {identity.key_id}: put its keyring file back")
    return vault.get(held[-1])


def recipients(settings: BackupSettings, identity: Identity) -> tuple[str, ...]:
    """All that a snapshot is encrypted for: the vault's key and the offline keys of the settings."""
    return (identity.recipient, *settings.recipients)


def key_files(vault: ObjectStore, key_id: str | None = None) -> list[str]:
    """Keys of the keyring's files, the newest last."""
    found = [
        (int(match[2] or 0), match[0])
        for entry in vault.list(FOLDER)
        if (match := FILE.fullmatch(entry.key)) is not None and key_id in {None, match[1]}
    ]
    return [key for _, key in sorted(found)]


def _newest(vault: ObjectStore, held: list[str], secret: str) -> Identity:
    """The newest file that is a key: whoever can write may add rubbish beside it, which must not lock us out."""
    for key in reversed(held[1:]):
        with suppress(DamagedKey):
            return _opened(vault, key, secret)
    return _opened(vault, held[0], secret)


def _opened(vault: ObjectStore, key: str, secret: str) -> Identity:
    identity = _unlocked(vault.get(key), secret)
    named = FILE.fullmatch(key)
    if named is None or named[1] != identity.key_id:
        raise StoreError(
            f"object {key} in {vault.url} holds another key, {identity.key_id}: put the right file back"
        )
    return identity


@functools.lru_cache(maxsize=4)
def _unlocked(data: bytes, secret: str) -> Identity:
    """Half a second and 256 MiB, once for each process and file."""
    return unlock(data, secret)
