"""Payloads read from a cursor to their end, and the faults after which they cannot be trusted.

What belongs here: positions. What does not: what payloads mean (``payloads``).

Invariants: every position from the cursor to the end was read once; a hole, a webhook that ended, a position that Airtable
no longer knows, or one older than seven days ends in :class:`FullExportNeeded`, never in a shorter list.
"""

from __future__ import annotations

from datetime import datetime

from ledger_assets.errors import SourceError
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.cursor import Cursor
from ledger_assets.extract.metadata import BaseMeta
from ledger_assets.extract.responses import Refused
from ledger_assets.extract.unfinished import timestamp
from ledger_assets.extract.webhooks import NO_SCOPE, PAYLOADS_LIVE, WHY, Hook, payloads, webhooks
from ledger_assets.progress import report
from ledger_assets.sync.payloads import FullExportNeeded, Reported, read_payloads


class Drain:
    """A webhook being read. ``position``: of the payload that comes next."""

    def __init__(self, client: AirtableClient, meta: BaseMeta, cursor: Cursor | None) -> None:
        """Raises :class:`FullExportNeeded` when there is nothing to read from."""
        self._client = client
        self._meta = meta
        self.cursor = _readable(cursor, client.clock.now())
        self.position = self.cursor.position
        self._last_transaction = 0
        self._at = self.cursor.at
        self._told = self._hook().following

    def more(self) -> Reported:
        """What was told since the last call, to the end. Raises :class:`FullExportNeeded`, or SourceError."""
        self._at = timestamp(self._client.clock.now())
        reported = Reported(last_transaction=self._last_transaction)
        while True:
            try:
                page = payloads(self._client, self.cursor.webhook, self.position)
            except Refused as error:
                raise _lost(error) from None
            if page.following != self.position + len(page.payloads):
                raise FullExportNeeded("payloads are missing: Airtable no longer has them")
            read_payloads(self._meta, page.payloads, reported)
            self.position = page.following
            report("sync", "what changed", self.position - self.cursor.position)
            if not page.more:
                break
            if not page.payloads:
                raise SourceError("Airtable's answers about what changed do not advance; run again later")
        if self.position < self._told:
            raise FullExportNeeded("payloads are missing: Airtable no longer has them")
        self._last_transaction = reported.last_transaction
        return reported

    def cursor_at(self, position: int) -> Cursor:
        """The cursor of a position that was reached."""
        return Cursor(self.cursor.webhook, position, self._at)

    def _hook(self) -> Hook:
        try:
            found = [one for one in webhooks(self._client) if one.id == self.cursor.webhook]
        except Refused as error:
            raise _lost(error) from None
        if not found or not found[0].live(self._client.clock.now()):
            raise FullExportNeeded("the webhook has ended")
        return found[0]


def _readable(cursor: Cursor | None, now: float) -> Cursor:
    if cursor is None:
        raise FullExportNeeded("the newest export was made without a webhook, by an older version")
    if not cursor.webhook:
        raise FullExportNeeded(f"the newest export has no webhook: {WHY.get(cursor.why, 'nobody knows why')}")
    age = now - datetime.fromisoformat(cursor.at).timestamp()
    if age > PAYLOADS_LIVE.total_seconds():
        raise FullExportNeeded(
            "the newest export is older than the seven days that Airtable remembers changes"
        )
    return cursor


def _lost(error: Refused) -> Exception:
    if error.status == 401:
        return error
    if error.status == 403:
        return FullExportNeeded(WHY[NO_SCOPE])
    if error.status == 404:
        return FullExportNeeded("the webhook has ended")
    return FullExportNeeded(f"Airtable refuses the cursor ({error.code or error.status})")
