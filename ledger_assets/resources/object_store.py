"""Resource: the environment's object store (exports, ledger files, media, reports)."""

import dagster as dg

from ledger_assets import connections
from ledger_assets.environment import Environment, read_settings
from ledger_assets.storage import ObjectStore


class ObjectStoreResource(dg.ConfigurableResource[ObjectStore]):
    """Opens the store that the environment's settings name. Holds no secret."""

    environment: str

    def open(self) -> ObjectStore:
        """The store. Raises SettingsError."""
        return connections.object_store(read_settings(Environment(self.environment)))
