"""What an answer of Airtable means when it is not 200, or does not come: which error to raise, in words that name
the remedy.

Pure functions over status and body. No body text but Airtable's own error code ever reaches a message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, ProxyError, SSLError
from urllib3.exceptions import LocationParseError, NameResolutionError, NewConnectionError

from ledger_assets.errors import SourceError
from ledger_assets.extract.slices import BadBody, parse

BILLING = "PUBLIC_API_BILLING_LIMIT_EXCEEDED"
LOST = frozenset({"LIST_RECORDS_ITERATOR_NOT_AVAILABLE", "INVALID_OFFSET_VALUE"})
"""The scan's place is gone on Airtable's side: it must begin anew."""


class IteratorLost(SourceError):
    """Airtable has forgotten where the scan of a table was."""


class BillingLimit(SourceError):
    """The workspace's monthly API calls are used up; asking again cannot help."""


class Refused(SourceError):
    """Airtable will not: the answer's status, and its own error code where it has one."""

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class AccessRefused(Refused):
    """Airtable answers 401, 403 or 404."""


class RateLimited(SourceError):
    """More requests than the base allows; nothing is answered until the penalty is over."""


class Unavailable(SourceError):
    """A fault on the way or at Airtable's end that may pass by itself."""


class Unreachable(SourceError):
    """Nothing has ever answered at the address: a wrong setting or no network, which no waiting cures."""


@dataclass(frozen=True)
class Subject:
    """What a request reads, for messages: ``what`` names it, ``scope`` is the token's scope that it needs."""

    what: str
    scope: str = "data.records:read"


def failure(status: int, body: str, subject: Subject) -> SourceError:
    """The error that an answer with ``status`` (not 200) means."""
    code = error_code(body)
    said = f"{status} {code}".strip()
    if status == 429:
        return _too_many(body, said, subject)
    if status in {408, 425} or status >= 500:
        return Unavailable(f"{subject.what}: Airtable answered {said}")
    if status == 401:
        return AccessRefused(
            f"AIRTABLE_API_KEY was refused by Airtable ({said}) for {subject.what}: set a personal access "
            "token that is valid and not expired",
            status,
            code,
        )
    if status in {403, 404}:
        return AccessRefused(
            f"{subject.what} cannot be read: Airtable answered {said}. Grant the token of AIRTABLE_API_KEY "
            f"this base and the scope {subject.scope}, and check AIRTABLE_BASE_ID",
            status,
            code,
        )
    if status == 422 and code in LOST:
        return IteratorLost(f"{subject.what}: Airtable has lost the scan's place ({code})")
    return Refused(
        f"{subject.what}: Airtable answered {said} and nothing was guessed from it; if it stays so, report it",
        status,
        code,
    )


NO_ANSWER = (requests.RequestException, LocationParseError)
"""What a request raises that gets none: requests lets one error of urllib3's through, for a host's name."""


def never_connected(error: Exception) -> str | None:
    """Why there was no connection at all, None when there was one, or time was all it lacked."""
    if isinstance(error, InvalidURL | InvalidSchema | MissingSchema | LocationParseError):
        return "that is no address"
    if isinstance(error, SSLError):
        return "its certificate was refused, or it speaks no TLS"
    if isinstance(error, ProxyError):
        return "the proxy refused"
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, NameResolutionError):
        return "the name of its host is not known"
    return "nothing accepts a connection there" if isinstance(reason, NewConnectionError) else None


def _too_many(body: str, said: str, subject: Subject) -> SourceError:
    if BILLING in body:
        return BillingLimit(
            f"{subject.what}: Airtable answered {BILLING}: the workspace's API calls of this month are used "
            "up. Upgrade its plan or wait for the next month; nothing was asked again"
        )
    return RateLimited(f"{subject.what}: Airtable answered {said}: another program uses this base's requests")


def error_code(body: str) -> str:
    """Airtable's own error code in a body of any of its shapes, '' when none is plainly one."""
    try:
        document = parse(body)
    except BadBody:
        return ""
    found = _code(document) if isinstance(document, dict) else None
    return found if isinstance(found, str) and re.fullmatch(r"[A-Z0-9_]{3,80}", found) else ""


def _code(document: dict[str, Any]) -> Any:
    error = document.get("error")
    if isinstance(error, dict):
        return error.get("type")
    errors = document.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return errors[0].get("error")
    return error
