"""Requests to Airtable's API (or what stands for it): one budget, one retry rule, one place that holds the
token.

What belongs here: addresses, time-outs, what is asked again and what is not. What does not: what the answers
are for. Pages are fetched as text, because parsed JSON is no longer what was delivered; pyairtable hides the
offset, cannot tell the two 429s apart and gives up 3.3 s into the 30 s penalty, so it is not used for them.

Invariants: no request leaves without a slot of the shared limiter; the token goes to the endpoint alone
(redirects are not followed); no URL, cell value or token is ever in a message, a log line or a ``repr``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from ledger_assets.errors import SettingsError, SourceError
from ledger_assets.extract import slices
from ledger_assets.extract.limiter import PENALTY_SECONDS, Clock, RateLimiter
from ledger_assets.extract.metadata import TableMeta, parse_metadata
from ledger_assets.extract.responses import (
    NO_ANSWER,
    RateLimited,
    Subject,
    Unavailable,
    Unreachable,
    failure,
    never_connected,
)
from ledger_assets.extract.slices import BadBody, RecordPage
from ledger_assets.progress import report

# At DEBUG urllib3 writes every address: those of attachments are signed, whoever reads one can fetch the
# file.
logging.getLogger("urllib3").setLevel(logging.INFO)
log = logging.getLogger(__name__)

PAGE_SIZE = 100
LONGEST_URL = 16_000
CONNECTIONS = 64
TIMEOUTS = (10.0, 60.0)
ATTEMPTS = 8
"""Tries of one request that meets faults which may pass: 91 s of waiting in all."""
RATE_ATTEMPTS = 20
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
COMMENTS_SCOPE = "data.recordComments:read"

T = TypeVar("T")


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    subject: Subject
    json: Mapping[str, Any] | None = None


class _Bearer(AuthBase):
    """The token. As ``auth`` and not as a header, because requests puts ~/.netrc over a header."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request


class AirtableClient:
    """Reads one base. Safe to use from several threads."""

    def __init__(
        self,
        endpoint_url: str,
        api_key: str,
        base_id: str,
        *,
        requests_per_second: float,
        lock_folder: Path,
        penalty_seconds: float = PENALTY_SECONDS,
        timeouts: tuple[float, float] = TIMEOUTS,
        attempts: int = ATTEMPTS,
        clock: Clock | None = None,
    ) -> None:
        """Raises :class:`SettingsError` for a token that no request could carry."""
        if not api_key or not all("!" <= character <= "~" for character in api_key):
            raise SettingsError(
                "AIRTABLE_API_KEY is empty or holds a character that no token has (a space, a line break, a letter "
                "with an accent): copy the token again"
            )
        self.base_id = base_id
        self.lock_folder = lock_folder
        self.clock = clock or Clock()
        self.timeouts = timeouts
        self.endpoint_url = endpoint_url
        self._root = f"{endpoint_url.rstrip('/')}/v0"
        self._limiter = RateLimiter(
            lock_folder / f"airtable-{base_id}.slot",
            requests_per_second=requests_per_second,
            penalty_seconds=penalty_seconds,
            clock=self.clock,
        )
        self._session = open_session(endpoint_url)
        self._session.auth = _Bearer(api_key)
        self._attempts = attempts
        self._answered = False
        self._usual: tuple[requests.PreparedRequest, Mapping[str, Any]] | None = None
        """What all GETs share once one was answered: requests makes it anew for each, in a third of the time it takes."""
        self._calls = 0
        self._count = threading.Lock()

    def __repr__(self) -> str:
        return f"AirtableClient({self.base_id})"

    @property
    def home(self) -> Path:
        """The folder that this project's files on the machine are kept in; the lock folder lies in it."""
        return self.lock_folder.parent

    @property
    def calls(self) -> int:
        """Requests sent so far, those that were repeated included: Airtable counts them all."""
        return self._calls

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def metadata(self) -> str:
        """The base's metadata, as delivered."""
        subject = Subject(f"the metadata of base {self.base_id}", "schema.bases:read")
        return self._ask(
            _Request("GET", f"{self._root}/meta/bases/{self.base_id}/tables", subject), self._checked
        )

    def records(
        self,
        table: TableMeta,
        *,
        offset: str | None = None,
        fields: Sequence[str] = (),
        formula: str | None = None,
        comment_counts: bool = False,
    ) -> RecordPage:
        """One page of the table's records, without any view: a view leaves records out silently.

        Raises :class:`IteratorLost` when Airtable no longer knows ``offset``.
        """
        options: dict[str, Any] = {"pageSize": PAGE_SIZE, "returnFieldsByFieldId": True}
        if comment_counts:
            options["recordMetadata"] = ["commentCount"]
        if fields:
            options["fields"] = list(fields)
        if formula is not None:
            options["filterByFormula"] = formula
        if offset is not None:
            options["offset"] = offset
        url = f"{self._root}/{self.base_id}/{table.id}"
        subject = Subject(f"table {table.name!r} ({table.id})")
        long_url = f"{url}?{urlencode(_query(options))}"
        if len(long_url) < LONGEST_URL:
            return self._ask(_Request("GET", long_url, subject), slices.record_page)
        return self._ask(_Request("POST", f"{url}/listRecords", subject, options), slices.record_page)

    def comments(self, table: TableMeta, record_id: str) -> list[str]:
        """All comments of a record, each as delivered."""
        found: list[str] = []
        offset: str | None = None
        subject = Subject(f"the comments of record {record_id} in table {table.name!r}", COMMENTS_SCOPE)
        while True:
            query = urlencode({"pageSize": PAGE_SIZE, **({"offset": offset} if offset else {})})
            url = f"{self._root}/{self.base_id}/{table.id}/{record_id}/comments?{query}"
            page = self._ask(_Request("GET", url, subject), slices.comment_page)
            found.extend(page.comments)
            offset = page.offset
            if offset is None:
                return found

    def call(
        self,
        method: str,
        path: str,
        subject: Subject,
        read: Callable[[str], T],
        json: Mapping[str, Any] | None = None,
    ) -> T:
        """Another request below ``/v0/``, with the same budget and retries. Raises :class:`Refused`."""
        return self._ask(_Request(method, f"{self._root}/{path}", subject, json), read)

    def _checked(self, body: str) -> str:
        try:
            meta = parse_metadata(self.base_id, body)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise BadBody("the answer is not metadata") from None
        if not all(table.id.isalnum() for table in meta.tables) or len({t.id for t in meta.tables}) < len(
            meta.tables
        ):
            raise BadBody("the answer's table ids are not ids")
        return body

    def _ask(self, request: _Request, read: Callable[[str], T]) -> T:
        """The answer as ``read`` reads it. What may pass is waited for, a bounded number of times; the rest
        raises.
        """
        faults = refusals = 0
        while True:
            self._limiter.wait()
            try:
                answer = self._read(request, read)
            except RateLimited as error:
                self._limiter.penalise()
                refusals += 1
                if refusals == RATE_ATTEMPTS:
                    raise SourceError(f"{error}; tried {refusals} times: stop the other program") from None
                log.warning("%s; waiting until the penalty is over", error)
                report("waiting", "another program uses this base's requests", refusals, RATE_ATTEMPTS)
            except (Unavailable, BadBody) as error:
                faults += 1
                if faults == self._attempts:
                    times = "once" if faults == 1 else f"{faults} times"
                    raise SourceError(f"{error}; tried {times}: run again later") from None
                log.warning("%s; asking again, %d of %d", error, faults + 1, self._attempts)
                report("waiting", "Airtable does not answer, asking again", faults, self._attempts)
                self.clock.sleep(min(2.0 ** (faults - 1), 30.0))
            else:
                if faults or refusals:
                    report("waiting", "Airtable answers again", self._attempts, self._attempts)
                return answer

    def _read(self, request: _Request, read: Callable[[str], T]) -> T:
        with self._count:
            self._calls += 1
        try:
            response = self._send(request)
            body = response.content.decode(errors="strict" if response.status_code == 200 else "replace")
        except NO_ANSWER as error:  # its text holds the address
            if not self._answered and (why := never_connected(error)):
                raise Unreachable(
                    f"{request.subject.what} cannot be read, Airtable was not reached ({why}): check "
                    "AIRTABLE_ENDPOINT_URL and the network; nothing was asked again"
                ) from None
            raise Unavailable(f"{request.subject.what}: no answer ({type(error).__name__})") from None
        except UnicodeDecodeError:
            raise BadBody(f"{request.subject.what}: the answer is not text") from None
        self._answered = True
        if response.status_code != 200:
            raise failure(response.status_code, body, request.subject)
        try:
            return read(body)
        except BadBody as error:
            raise BadBody(f"{request.subject.what}: {error}") from None

    def _send(self, request: _Request) -> requests.Response:
        if request.method == "GET" and self._usual is not None:
            usual, settings = self._usual
            again = usual.copy()
            again.url = request.url
            return self._session.get_adapter(request.url).send(again, timeout=self.timeouts, **settings)
        response = self._session.request(
            request.method, request.url, json=request.json, timeout=self.timeouts, allow_redirects=False
        )
        if request.method == "GET":
            settings = self._session.merge_environment_settings(request.url, {}, False, None, None)
            self._usual = response.request, settings
        return response


def open_session(url: str) -> requests.Session:
    """A session for many threads: no cookies, and no proxy on the way to this machine itself."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.trust_env = urlsplit(url).hostname not in LOCAL_HOSTS
    adapter = HTTPAdapter(pool_connections=8, pool_maxsize=CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _query(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The options as the query Airtable expects: lists as repeated ``name[]``, true as 1."""
    query: list[tuple[str, str]] = []
    for name, value in options.items():
        if isinstance(value, list):
            query.extend((f"{name}[]", item) for item in value)
        else:
            query.append((name, "1" if value is True else str(value)))
    return query
