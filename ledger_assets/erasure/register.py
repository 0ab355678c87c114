"""The list of what people had erased, beside the snapshots: they hold those people still, and the list tells them apart.

    erasures/<utc>-<request id>.json.age   {"erasure": text, "mac": of object key and text}, sealed

What belongs here: adding to the list and reading it. What does not: what an entry is (``model``), applying it
(``applied``, ``purge``).

Invariants: nothing is ever changed or removed; an entry that cannot be read, or that our key did not write, is refused
by name, never passed over: whoever it names would come back. Each snapshot's signed manifest remembers the entries of its
time, so that one that somebody removed is missed. Who had something erased and when is sealed like a snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ledger_assets.erasure.model import FOLDER, Erasure, parse, together
from ledger_assets.erasure.requests import carried_out
from ledger_assets.errors import StoreError
from ledger_assets.storage import ObjectExists, ObjectStore

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.backup.identity import Identity

PURPOSE = "erasure"
SHOWN = 20


class Forged(StoreError):
    """An entry of the list that was not written with our key, or not under this name, or that somebody removed."""


def publish(
    conn: psycopg.Connection, vault: ObjectStore, identity: Identity, recipients: Sequence[str] = ()
) -> list[Erasure]:
    """Add what was erased in the database and is not on the list yet; what was added.

    ``recipients``: who can open an entry beside ``identity``. Raises StoreError when an entry cannot be written.
    """
    from ledger_assets.backup.identity import mac
    from ledger_assets.backup.sealing import seal_bytes

    known = {one.key for one in vault.list(FOLDER)}
    added = []
    for one in carried_out(conn):
        if one.key in known:
            continue
        text = one.to_json()
        entry = {"erasure": text, "mac": mac(identity, PURPOSE, _said(one.key, text))}
        sealed_for = dict.fromkeys((identity.recipient, *recipients))
        try:
            seal_bytes(vault, one.key, json.dumps(entry).encode(), tuple(sealed_for), create=True)
        except ObjectExists:  # another process had the same to say
            continue
        added.append(one)
    return added


def listed(vault: ObjectStore, identity: Identity, *, expected: Collection[str] = ()) -> tuple[Erasure, ...]:
    """The whole list, oldest first. ``expected``: keys of entries that signed manifests remember.

    Raises :class:`Forged`, also for one that is gone, or StoreError naming an entry that cannot be read.
    """
    gone = sorted({*expected} - {one.key for one in vault.list(FOLDER)})
    if gone:
        raise Forged(
            f"{vault.url} lacks {len(gone)} entries of the list of erasures ({', '.join(gone[:SHOWN])}): whom they name "
            "would come back, so nothing is restored or loaded; put an earlier version of the objects back"
        )
    return together(_read(vault, one.key, identity) for one in vault.list(FOLDER))


def _read(vault: ObjectStore, key: str, identity: Identity) -> Erasure:
    from ledger_assets.backup.identity import check_mac
    from ledger_assets.backup.sealing import open_bytes

    data = open_bytes(vault, key, identity)
    try:
        entry = json.loads(data)
        text, given = str(entry["erasure"]), str(entry["mac"])
        found = parse(text) if check_mac(identity, PURPOSE, _said(key, text), given) else None
    except (ValueError, LookupError, TypeError):
        found = None
    if found is None:
        raise Forged(
            f"object {key} in {vault.url} is no entry that was written here: whom it names would come back, so nothing is "
            "restored or loaded; put an earlier version of the object back"
        )
    if found.key != key:
        raise Forged(
            f"object {key} in {vault.url} has another entry's content; put an earlier version of the object back"
        )
    return found


def _said(key: str, text: str) -> bytes:
    return f"{key}\n{text}".encode()
