"""What people had erased in an environment, as its steps must know it: exports, loads, snapshots and restores.

What belongs here: where it is asked, and what holds when one of the places cannot be. What does not: erasing (``erasure``).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ledger_assets import connections
from ledger_assets.environment import Settings
from ledger_assets.errors import SettingsError, TargetError

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.backup.place import Place
    from ledger_assets.erasure.model import Erasure
    from ledger_assets.erasure.purge import Purged
    from ledger_assets.storage import ObjectStore

_log = logging.getLogger(__name__)


def known(settings: Settings) -> tuple[Erasure, ...]:
    """Every erasure: of the list beside the snapshots, which is brought up to date, and of the database itself.

    A database that cannot be reached stops no export, which may be the last one for long: the list is used alone, and the
    load refuses what it did not know. Raises StoreError for a list that cannot be read whole.
    """
    from ledger_assets.backup import catalogue
    from ledger_assets.erasure.model import together
    from ledger_assets.erasure.register import listed
    from ledger_assets.erasure.requests import carried_out

    own: tuple[Erasure, ...] = ()
    try:
        with connections.database(settings, purpose="erasures") as connection:
            own = carried_out(connection)
    except TargetError as error:
        _log.warning("the database's own erasures cannot be asked: %s", error)
    # The key takes half a second to open: where nobody was ever erased it stays closed.
    listed_there = _any_listed(settings)
    place = _place(settings, needed=listed_there) if own or listed_there else None
    if place is None:
        return own
    if own:
        with connections.database(settings, purpose="erasures") as connection:
            publish(place, connection)
    return together(listed(place.vault, place.identity, expected=catalogue.read(place).erasures), own)


def publish(place: Place, connection: psycopg.Connection) -> list[Erasure]:
    """Add to the list what the database has carried out."""
    from ledger_assets.erasure import register

    return register.publish(connection, place.vault, place.identity, place.backup.recipients)


def purge(settings: Settings, store: ObjectStore, erasures: tuple[Erasure, ...]) -> Purged:
    """Take them out of exports, ledgers and files."""
    from ledger_assets.backup.media import media_key
    from ledger_assets.erasure.purge import purge as purge_store

    place = _place(settings, needed=False) if erasures else None
    if place is not None:
        from ledger_assets.backup import aside

        aside.purge(place, erasures)
    with connections.database(settings, purpose="purge") as connection:
        return purge_store(
            store,
            erasures,
            vault=None if place is None else place.vault,
            media_key=None if place is None else (lambda sha256: media_key(place, sha256)),
            conn=connection,
            lock_folder=settings.home / connections.LOCKS,
        )


def _place(settings: Settings, *, needed: bool) -> Place | None:
    """The snapshots' place; None where none was set up: then there are no snapshots that hold anybody either.

    ``needed``: there is a list, and a key that does not open must not pass for its absence.
    """
    from ledger_assets.backup.place import open_place

    try:
        return open_place(settings)
    except SettingsError:
        if needed:
            raise
        return None


def _any_listed(settings: Settings) -> bool:
    from ledger_assets.backup.settings import read_backup_settings
    from ledger_assets.backup.vault import open_vault
    from ledger_assets.erasure.model import FOLDER

    try:
        return any(open_vault(read_backup_settings(settings)).list(FOLDER))
    except SettingsError:
        return False
