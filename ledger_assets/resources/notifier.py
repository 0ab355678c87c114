"""Resource: tells people what happened, by the channels that the settings name. Never fails the run that uses it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from ledger_assets.environment import Environment

if TYPE_CHECKING:
    from ledger_assets.backup.messages import Message
    from ledger_assets.backup.outbox import Delivered


class Notifier(dg.ConfigurableResource["Notifier"]):
    """Keeps each message in the environment's outbox and sends what waits; reads its settings when used."""

    environment: str

    def send(self, message: "Message") -> "Delivered":
        """Keep and send. Never raises."""
        from ledger_assets.backup.notices import send

        return send(Environment(self.environment), message, now=datetime.now(UTC))

    def deliver(self) -> "Delivered":
        """Send what waits from before. Never raises."""
        from ledger_assets.backup.notices import send

        return send(Environment(self.environment), None, now=datetime.now(UTC))

    def watch(self, newest_verified_at: datetime | None) -> "Message | None":
        """Tell of the absence of a fresh verified snapshot, at most once in six hours. Returns what was told."""
        from ledger_assets.backup.notices import watch

        return watch(Environment(self.environment), newest_verified_at, now=datetime.now(UTC))
