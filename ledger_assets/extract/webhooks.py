"""The webhook that tells what changed since an export: made sure of before the first page is read, then polled.

What belongs here: Airtable's requests for webhooks, and from where on they must be read. What does not: what payloads
mean (``sync``).

No address is ever called by it (``notificationUrl`` null): its payloads are read by cursor. A webhook is ours when it has
exactly our specification. Whose export made it does not matter, because a cursor belongs to whoever reads: staging and
production share one of the ten that a base may have, and nothing need be remembered but in the manifests.

Invariants: no export fails for want of a webhook; the cursor is of a moment before anything of the export was read.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger_assets.errors import SourceError, StoreError
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.cursor import Cursor
from ledger_assets.extract.export import latest_export
from ledger_assets.extract.responses import BillingLimit, Refused, Subject
from ledger_assets.extract.slices import BadBody, is_text, parse, whole_number
from ledger_assets.extract.unfinished import timestamp
from ledger_assets.storage import ObjectStore

log = logging.getLogger(__name__)

SCOPE = "webhook:manage"
DATA_TYPES = ("tableData", "tableFields", "tableMetadata")
SPECIFICATION = {"options": {"filters": {"dataTypes": list(DATA_TYPES)}}}
PAYLOADS_LIVE = timedelta(days=7)
"""Airtable deletes payloads after so long, read or not; and a webhook that nobody asked for so long."""
EXTEND_WITHIN = timedelta(days=6)
PAGE = 50
FIRST = 1
"""The position of a new webhook's first payload."""

NO_SCOPE = "no_scope"
TOO_MANY = "too_many_webhooks"
REFUSED = "refused"
UNAVAILABLE = "unavailable"
WHY = {
    NO_SCOPE: f"the token lacks the scope {SCOPE}",
    TOO_MANY: "the base has ten webhooks already: delete one",
    REFUSED: "Airtable refused the webhook",
    UNAVAILABLE: "Airtable did not answer about webhooks",
}
_ABSENT = {403, 404}


@dataclass(frozen=True)
class Hook:
    """A webhook of the base. ``following``: the position of the payload that will come next."""

    id: str
    following: int
    expires: datetime | None
    enabled: bool
    ours: bool

    def live(self, now: float) -> bool:
        """Whether it still writes payloads."""
        return self.enabled and (self.expires is None or self.expires.timestamp() > now)


@dataclass(frozen=True)
class PayloadPage:
    """One answer: parsed payloads (numbers as text), the position after them, and whether more are waiting."""

    payloads: tuple[dict[str, Any], ...]
    following: int
    more: bool


def ensure_cursor(client: AirtableClient, store: ObjectStore) -> Cursor:
    """From where on an export that begins now can be synced. Raises nothing but what ends the export anyway."""
    now = client.clock.now()
    try:
        hook = _ensure(client, now)
    except BillingLimit:
        raise
    except Refused as error:
        why = _why(error)
        log.warning("no webhook, so that no sync from this export: %s", WHY[why])
        return Cursor(at=timestamp(now), why=why)
    except SourceError as error:
        log.warning("no webhook, so that no sync from this export: %s", error)
        return Cursor(at=timestamp(now), why=UNAVAILABLE)
    return Cursor(hook.id, max(hook.following, _known(client, store, hook)), timestamp(now))


def _ensure(client: AirtableClient, now: float) -> Hook:
    ours = [one for one in webhooks(client) if one.ours]
    live = [one for one in ours if one.live(now)]
    if not live:
        for gone in ours:  # one that has expired still counts as one of ten
            _delete(client, gone.id)
        return Hook(_create(client), FIRST, None, enabled=True, ours=True)
    # The same for everybody, whatever the order of the list.
    chosen = min(live, key=lambda one: one.id)
    if chosen.expires is not None and chosen.expires.timestamp() - now < EXTEND_WITHIN.total_seconds():
        _extend(client, chosen.id)
    return chosen


def _why(error: Refused) -> str:
    if "TOO_MANY" in error.code:
        return TOO_MANY
    return NO_SCOPE if error.status in _ABSENT else REFUSED


def _known(client: AirtableClient, store: ObjectStore, hook: Hook) -> int:
    """Where the newest export stood: should Airtable count only what it has sent to an address, of which there is none."""
    try:
        known = latest_export(store, client.base_id).manifest.cursor
    except StoreError:
        return 0
    return known.position if known is not None and known.webhook == hook.id else 0


def webhooks(client: AirtableClient) -> list[Hook]:
    """The base's webhooks. Raises :class:`Refused` without the scope."""
    return client.call("GET", _path(client), _subject("the webhooks"), _hooks)


def payloads(client: AirtableClient, webhook: str, position: int) -> PayloadPage:
    """The payloads from ``position`` on, at most 50. Asking keeps the webhook alive for seven days more.

    Raises :class:`Refused` when the webhook or the position is gone.
    """
    path = f"{_path(client, webhook)}/payloads?cursor={position}&limit={PAGE}"
    return client.call("GET", path, _subject(f"what webhook {webhook} tells"), _page)


def _create(client: AirtableClient) -> str:
    body = {"notificationUrl": None, "specification": SPECIFICATION}
    return client.call("POST", _path(client), _subject("a new webhook"), _id, body)


def _extend(client: AirtableClient, webhook: str) -> None:
    client.call("POST", f"{_path(client, webhook)}/refresh", _subject(f"webhook {webhook}"), parse, {})


def _delete(client: AirtableClient, webhook: str) -> None:
    client.call("DELETE", _path(client, webhook), _subject(f"webhook {webhook}"), str)


def _path(client: AirtableClient, webhook: str = "") -> str:
    return f"bases/{client.base_id}/webhooks{'/' if webhook else ''}{webhook}"


def _subject(what: str) -> Subject:
    return Subject(what, SCOPE)


def _id(body: str) -> str:
    found = parse(body)
    return _an_id(found.get("id") if isinstance(found, dict) else None)


def _an_id(value: Any) -> str:
    if not (is_text(value) and value.isascii() and value.isalnum()):  # it becomes part of addresses
        raise BadBody("the answer names no webhook")
    return str(value)


def _hooks(body: str) -> list[Hook]:
    found = parse(body)
    listed = found.get("webhooks") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise BadBody("the answer holds no webhooks")
    return [
        Hook(
            id=_an_id(one.get("id")),
            following=whole_number(one.get("cursorForNextPayload")) or FIRST,
            expires=_time(one.get("expirationTime")),
            enabled=one.get("isHookEnabled") is not False,
            ours=one.get("notificationUrl") is None and _is_ours(one.get("specification")),
        )
        for one in listed
    ]


def _is_ours(specification: Any) -> bool:
    options = specification.get("options") if isinstance(specification, dict) else None
    filters = options.get("filters") if isinstance(options, dict) else None
    if not isinstance(options, dict) or not isinstance(filters, dict):
        return False
    named: Sequence[Any] = filters.get("dataTypes") or ()
    # Any further filter or choice would leave something out.
    rest = [value for holder in (options, filters) for name, value in holder.items() if name not in _OURS]
    return sorted(map(str, named)) == sorted(DATA_TYPES) and not any(rest)


_OURS = {"filters", "dataTypes"}


def _time(value: Any) -> datetime | None:
    if not is_text(value):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise BadBody("the answer holds a time that is none") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _page(body: str) -> PayloadPage:
    found = parse(body)
    listed = found.get("payloads") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise BadBody("the answer holds no payloads")
    following = whole_number(found.get("cursor"))
    if following is None:
        raise BadBody("the answer has no cursor")
    return PayloadPage(tuple(listed), following, found.get("mightHaveMore") is True)
