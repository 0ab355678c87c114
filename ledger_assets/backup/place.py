"""Where an environment's snapshots lie, opened: its settings, its bucket, its key. What every step of backups starts from.

What belongs here: putting the three together. What does not: what is done with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_assets.backup.identity import Identity
from ledger_assets.backup.settings import BackupSettings, read_backup_settings
from ledger_assets.backup.vault import keyring, open_vault, recipients
from ledger_assets.environment import Settings
from ledger_assets.storage import ObjectStore


@dataclass(frozen=True)
class Place:
    """One environment's backups."""

    settings: Settings
    backup: BackupSettings
    vault: ObjectStore
    identity: Identity

    @property
    def recipients(self) -> tuple[str, ...]:
        """Whom every object is encrypted to: our own key, and the further ones that the settings name."""
        return recipients(self.backup, self.identity)


def open_place(settings: Settings) -> Place:
    """Open bucket and key. Raises SettingsError where either is missing or the password is wrong."""
    backup = read_backup_settings(settings)
    vault = open_vault(backup)
    return Place(settings, backup, vault, keyring(vault, backup))
