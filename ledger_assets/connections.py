"""From settings to open things: the store, the Airtable client, the database. Used by the resources and commands.

What belongs here: which part is the embedded one and which the real one. Nothing is opened at import, and what is
opened closes with its ``with`` block.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_assets.environment import DATABASE_VARIABLE, Profile, Settings
from ledger_assets.storage import ObjectStore, open_store

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.extract.client import AirtableClient

LOCKS = "locks"
SEALED = "sealed"
"""What is on its way into or out of an encrypted store lies here: encrypted, or in files without a name."""


def object_store(settings: Settings) -> ObjectStore:
    """The environment's object store; outside this machine, one that encrypts everything by the backups' key.

    Raises SettingsError, also when that key has not been made yet.
    """
    if settings.object_store_url.startswith("file:"):
        return open_store(settings.object_store_url)
    from ledger_assets.backup import vault
    from ledger_assets.backup.sealed_store import SealedStore
    from ledger_assets.backup.settings import read_backup_settings, read_bucket

    env = {name: value.strip() for name, value in os.environ.items() if value.strip()}
    bucket = read_bucket(env, settings.object_store_url, "OBJECT_STORE_URL")
    backups = read_backup_settings(settings)
    identity = vault.keyring(vault.open_vault(backups), backups)
    return SealedStore(
        open_store(bucket.url, bucket),
        identity,
        vault.recipients(backups, identity),
        _private(_private(settings.home) / SEALED),
    )


@contextmanager
def airtable_client(settings: Settings) -> Iterator[AirtableClient]:
    """A client for the settings' base, behind the token bucket that every process with this home shares."""
    from ledger_assets.demo.parts import EmbeddedParts
    from ledger_assets.extract.client import AirtableClient

    source = settings.airtable
    locks = _private(settings.home / LOCKS)
    if source.endpoint_url is not None and source.api_key is not None:
        yield AirtableClient(
            source.endpoint_url,
            source.api_key,
            source.base_id,
            requests_per_second=source.requests_per_second,
            lock_folder=locks,
        )
        return
    with EmbeddedParts(settings.home) as parts:
        url, api_key = parts.airtable(shape=settings.profile.value)
        yield AirtableClient(
            url, api_key, source.base_id, requests_per_second=source.requests_per_second, lock_folder=locks
        )


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The address of the environment's database, as the role that is not superuser. It holds a password."""
    from ledger_assets.demo.parts import EmbeddedParts

    if settings.database_url is not None:
        yield settings.database_url
        return
    with EmbeddedParts(settings.home) as parts:
        cluster = parts.postgres()
        cluster.ensure_database(settings.embedded_database)
        yield cluster.url(settings.embedded_database)


@contextmanager
def database(settings: Settings, *, purpose: str) -> Iterator[psycopg.Connection]:
    """A connection to the environment's database; ``purpose`` shows in pg_stat_activity."""
    from ledger_assets.load import schema
    from ledger_assets.load.connect import URL, connect

    name = f"ledger:{settings.environment}:{purpose}"
    setting = URL if settings.database_url is None else DATABASE_VARIABLE[settings.environment]
    with (
        database_url(settings) as url,
        connect(url, application_name=name, setting=setting) as connection,
    ):
        if settings.database_url is None and len(schema.pending(connection)) == len(schema.migrations()):
            schema.apply(connection)  # embedded and new: nobody has had a reason to apply it by hand
        yield connection


def pin_any_base(settings: Settings) -> None:
    """Pin the metadata of any base before its first run: its asset keys come from there (one call to Airtable).

    With table modules they name the tables, and nothing need be known beforehand.
    """
    from ledger_assets.extract import pinned

    if settings.profile is not Profile.ANY_BASE:
        return
    if pinned.read(settings.pin_folder) is not None:
        return
    with airtable_client(settings) as client:
        pinned.write(settings.pin_folder, settings.airtable.base_id, client.metadata())


def _private(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
