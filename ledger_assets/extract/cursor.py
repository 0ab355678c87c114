"""Where an export stands in what a webhook tells. Kept in its manifest, so that nothing else need be remembered."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cursor:
    """From where on a webhook tells what changed since: its id, the payload that comes next, and when that was.

    Without a webhook ``why`` is the reason in a word (``webhooks.NO_SCOPE`` ...), and nothing can be synced from there.
    """

    webhook: str = ""
    position: int = 0
    at: str = ""
    why: str = ""
