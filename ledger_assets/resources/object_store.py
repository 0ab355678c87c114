"""Resource: the environment's object store (exports, ledger files, media, reports)."""

import dagster as dg

from ledger_assets.environment import Environment, read_settings
from ledger_assets.storage import ObjectStore, open_store


class ObjectStoreResource(dg.ConfigurableResource[ObjectStore]):
    """Opens the store that the environment's settings name. Holds no secret."""

    environment: str

    def open(self) -> ObjectStore:
        """The store. Raises SettingsError."""
        return open_store(read_settings(Environment(self.environment)).object_store_url)
