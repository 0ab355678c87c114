"""Supabase's Auth admin API.

What belongs here: its requests and what its answers mean. What does not: who gets an account (``plan``).

Invariants: the key goes to the project's own address alone (no redirect is followed); no answer's text is passed on, because
it may quote an address; an invitation is never repeated by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ledger_assets.accounts.directory import MARK, AddressTaken, User
from ledger_assets.errors import SettingsError, TargetError

if TYPE_CHECKING:
    import requests

    from ledger_assets.accounts.settings import AuthSettings

PER_PAGE = 1000
MOST_PAGES = 10_000
FOREVER = "876000h"
"""A hundred years: the API knows no ban without an end."""
TIMEOUTS = (10, 60)
TAKEN = frozenset({"email_exists", "user_already_exists"})


class AuthApi:
    """The accounts of ``settings``' project."""

    def __init__(self, settings: AuthSettings, *, backoff: float = 0.5) -> None:
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry

        from ledger_assets.extract.client import open_session

        self._settings = settings
        self._base = f"{settings.url}/auth/v1"
        self._session = open_session(settings.url)
        # What was done although its answer was lost is found again by the account's mark.
        again = Retry(
            total=5,
            backoff_factor=backoff,
            status_forcelist=(429, 502, 503, 504),
            allowed_methods=None,
            raise_on_status=False,
            respect_retry_after_header=True,
        )
        self._session.mount(self._base, HTTPAdapter(max_retries=again))
        self._session.mount(f"{self._base}/invite", HTTPAdapter(max_retries=0))
        self._session.headers.update(
            {"apikey": settings.service_key, "Authorization": f"Bearer {settings.service_key}"}
        )

    def check(self) -> None:
        """Raises SettingsError when addresses are not confirmed before a sign-in."""
        answer = self._ask("GET", "/settings")
        # With it on, whoever signs up with the address of an account that nobody has used yet is let in as its holder.
        if answer.get("mailer_autoconfirm") is not False:
            raise SettingsError(
                f"the project of {self._settings.names[0]} lets people in without confirming their address: anybody could "
                "take a storyteller's account; turn on Confirm email (Authentication, Sign In / Providers, Email)"
            )

    def users(self) -> Iterator[User]:
        """Every account, page by page."""
        for page in range(1, MOST_PAGES):
            found = self._ask("GET", "/admin/users", params={"page": page, "per_page": PER_PAGE}).get("users")
            if not isinstance(found, list):
                raise self._strange()
            yield from map(self._user, found)
            if not found:
                return

    def find(self, user_id: UUID) -> User | None:
        """The account with that id."""
        response = self._send("GET", f"/admin/users/{user_id}")
        return None if response.status_code == 404 else self._user(self._body(response))

    def create(self, user_id: UUID, email: str, storyteller: str) -> User:
        """A new account; an older Auth gives it another id than asked for."""
        body = {
            "id": str(user_id),
            "email": email,
            "email_confirm": False,
            "app_metadata": {MARK: storyteller},
        }
        return self._user(self._ask("POST", "/admin/users", json=body))

    def ban(self, user_id: UUID) -> None:
        """Ban it for a hundred years."""
        self._ask("PUT", f"/admin/users/{user_id}", json={"ban_duration": FOREVER})

    def unban(self, user_id: UUID) -> None:
        """Take the ban away."""
        self._ask("PUT", f"/admin/users/{user_id}", json={"ban_duration": "none"})

    def delete(self, user_id: UUID) -> None:
        """Remove it with its address."""
        response = self._send("DELETE", f"/admin/users/{user_id}")
        if response.status_code != 404:
            self._body(response)

    def invite(self, email: str) -> None:
        """Send the project's invitation to somebody who has not confirmed their address."""
        self._ask("POST", "/invite", json={"email": email})

    def _ask(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        return self._body(self._send(method, path, **options))

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        import requests

        try:
            return self._session.request(
                method, self._base + path, timeout=TIMEOUTS, allow_redirects=False, **options
            )
        except requests.RequestException as error:  # its text holds the address asked, with ids
            raise TargetError(
                f"the Auth of {self._settings.names[0]} does not answer ({type(error).__name__}): check the address and the "
                "network, then run this again"
            ) from None

    def _body(self, response: requests.Response) -> Mapping[str, Any]:
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.status_code == 200 and isinstance(body, dict):
            return body
        code = body.get("error_code") if isinstance(body, dict) else None
        url, key = self._settings.names
        if response.status_code == 422 and (code in TAKEN or code is None):
            raise AddressTaken(f"the Auth of {url} has an account with this address already")
        if response.status_code in (401, 403):
            raise SettingsError(
                f"{key} is not accepted by the Auth of {url}: use its service_role (secret) key"
            )
        if response.status_code == 429:
            raise TargetError(
                f"the Auth of {url} asks for fewer requests (when inviting, its limit of mails an hour): run this later"
            )
        word = f" {code}" if isinstance(code, str) and code.replace("_", "").isalnum() else ""
        raise TargetError(f"the Auth of {url} answered {response.status_code}{word}: run this again")

    def _user(self, body: Mapping[str, Any]) -> User:
        try:
            metadata = body.get("app_metadata") or {}
            storyteller = metadata.get(MARK)
            until = body.get("banned_until")
            return User(
                id=UUID(body["id"]),
                email=str(body.get("email") or "").lower(),
                storyteller=str(storyteller) if storyteller is not None else None,
                confirmed=bool(body.get("email_confirmed_at")),
                signed_in=bool(body.get("last_sign_in_at")),
                invited=bool(body.get("invited_at")),
                banned=until is not None and datetime.fromisoformat(str(until)) > datetime.now(UTC),
            )
        except (KeyError, ValueError, TypeError, AttributeError):
            raise self._strange() from None

    def _strange(self) -> TargetError:
        return TargetError(
            f"{self._settings.names[0]} answers what Supabase's Auth would not: correct the address"
        )
