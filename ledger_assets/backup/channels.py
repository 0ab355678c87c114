"""The ways a message leaves: the webhook and the e-mail addresses of the settings, by apprise.

What belongs here: how one message is sent by one channel. What does not: when, in which order and how often
(``outbox``).

Invariants: a channel answers within ``LONGEST_SECONDS`` whatever the other side does; TLS is verified, redirects are
not followed (a message would go where nobody said), SMTP without TLS is for this machine only; no log line and no
error shows an address, which may hold a secret.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs, unquote

from ledger_assets.addresses import LOOPBACK, split_address
from ledger_assets.backup.messages import Kind, Message
from ledger_assets.errors import LedgerError, SettingsError
from ledger_assets.moment import utc

if TYPE_CHECKING:
    from apprise import NotifyBase

TIMEOUT_SECONDS = 10.0
"""Of each wait for the other side."""
LONGEST_SECONDS = 30.0
"""Of a whole message: a server that sends a byte now and then never runs into a time-out."""
SMTP_EXAMPLE = "smtp://user:password@host:587"
THREAD = "ledger-notify"

Channel = Callable[[Message], None]
"""Sends one message or raises :class:`NotSent`."""


class NotSent(LedgerError):
    """The other side did not take a message."""


def channels(
    webhook_url: str | None,
    email_recipients: Sequence[str],
    smtp_url: str | None,
    *,
    timeout: float = TIMEOUT_SECONDS,
    longest: float = LONGEST_SECONDS,
) -> dict[str, Channel]:
    """The channels that the settings name. Raises SettingsError.

    Each address is a channel of its own: one that is refused would else repeat the message to all others.
    """
    found: dict[str, Callable[[], NotifyBase]] = {}
    if webhook_url:
        found["webhook"] = partial(
            _webhook, split_address("BACKUP_WEBHOOK_URL", webhook_url, "https://..."), timeout
        )
    for address in email_recipients:
        server = _smtp_server(smtp_url)
        found[f"email-{sha256(address.lower().encode()).hexdigest()[:8]}"] = partial(
            _email, server, address, timeout
        )
    return {name: partial(_send, make, longest) for name, make in found.items()}


def email_channel(
    smtp_url: str | None, *, timeout: float = TIMEOUT_SECONDS, longest: float = LONGEST_SECONDS
) -> Callable[[str, Message], None]:
    """Sends a message to an address, alone; raises :class:`NotSent`. Raises SettingsError.

    For people who do not run this machine: so the sender must be named, by the user or ``?from=``.
    """
    server = _smtp_server(smtp_url)
    if "@" not in _sender(server, ""):
        raise SettingsError(
            "BACKUP_SMTP_URL names no sender: announcements come from an address; add ?from=stories@example.org"
        )
    return lambda address, message: _send(partial(_email, server, address, timeout), longest, message)


def _sender(parts: SplitResult, otherwise: str) -> str:
    user = unquote(parts.username or "")
    return parse_qs(parts.query).get("from", [user if "@" in user else otherwise])[0]


def _smtp_server(url: str | None) -> SplitResult:
    parts = split_address("BACKUP_SMTP_URL", url or "", SMTP_EXAMPLE)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise SettingsError(f"BACKUP_SMTP_URL is not of the form {SMTP_EXAMPLE} (or smtps://...:465)")
    return parts


def _webhook(parts: SplitResult, timeout: float) -> NotifyBase:
    """The address is given to apprise in parts: its own reading of a query takes settings out of it."""
    from apprise.plugins.custom_json import NotifyJSON

    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return NotifyJSON(  # type: ignore[no-untyped-call]  # apprise has no types
        secure=parts.scheme == "https",
        host=f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname,
        port=parts.port,
        user=parts.username,  # still quoted: apprise unquotes it
        password=parts.password,
        fullpath=path,
        **_common(timeout),
    )


def _email(parts: SplitResult, recipient: str, timeout: float) -> NotifyBase:
    """STARTTLS unless the address says smtps:// or is of this machine. ``?from=`` names the sender, else the user
    does, else the recipient."""
    from apprise.plugins.email import NotifyEmail

    mode = "ssl" if parts.scheme == "smtps" else "insecure" if parts.hostname in LOOPBACK else "starttls"
    plugin = NotifyEmail(  # type: ignore[no-untyped-call]  # apprise has no types
        secure=mode != "insecure",
        secure_mode=mode,
        smtp_host=parts.hostname,
        host=parts.hostname,
        port=parts.port,
        user=parts.username,
        password=parts.password,
        from_addr=_sender(parts, recipient),
        targets=[recipient],
        format="text",
        **_common(timeout),
    )
    # Not as apprise reads it: of o'neil@example.org it makes neil@example.org, somebody else.
    plugin.targets = [(False, recipient)]
    return plugin


def _common(timeout: float) -> dict[str, Any]:
    from apprise import AppriseAsset, PersistentStoreMode

    asset = AppriseAsset(app_id="ledger-assets", storage_mode=PersistentStoreMode.MEMORY, secure_logging=True)
    return {"asset": asset, "verify": True, "redirect": False, "rto": timeout, "cto": timeout}


def _send(make: Callable[[], NotifyBase], longest: float, message: Message) -> None:
    """In a thread of its own, which may be left behind. What arrives after that is repeated: twice is not lost."""
    outcome: list[str] = []
    worker = threading.Thread(target=_post, args=(make, message, outcome), name=THREAD, daemon=True)
    worker.start()
    worker.join(longest)
    if not outcome:
        raise NotSent(f"no answer in {longest:.0f} s")
    if outcome[0]:
        raise NotSent(outcome[0])


def _post(make: Callable[[], NotifyBase], message: Message, outcome: list[str]) -> None:
    """Send; ``outcome`` becomes [""] or [the reason]. Nothing escapes: a thread would print it with its values."""
    hush = _hush()
    try:
        from apprise import NotifyType

        at = () if message.kind is Kind.ANNOUNCEMENT else (utc(message.at),)
        taken = make().notify(
            body="\n".join((*message.lines, *at)),
            title=message.title,
            notify_type=NotifyType(message.level),
        )
        outcome.append("" if taken else hush.reason())
    except Exception as error:  # noqa: BLE001 - whatever a library raises, a backup must not fail by it
        outcome.append(type(error).__name__)


class _Hush(logging.Filter):
    """Drops what the libraries log while they send: apprise logs payloads and servers' answers, urllib3 the path,
    which in most webhooks is the secret. Of all this only the number of the answer is kept."""

    def __init__(self) -> None:
        super().__init__()
        self._local = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.threadName != THREAD:
            return True
        if found := re.search(
            r"error=(\d{3})\b|Socket Exception: (?:\{.*?: )?\((\d{3}),", record.getMessage()
        ):
            self._local.code = f"answer {found[1] or found[2]}"
        return False

    def reason(self) -> str:
        """What this thread's failed attempt said."""
        return str(getattr(self._local, "code", "not reached or not understood"))


_FILTER = _Hush()
_LOGGERS = ("apprise", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")


def _hush() -> _Hush:
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)  # a second time does nothing
    logging.getLogger("apprise").setLevel(
        logging.DEBUG
    )  # an SMTP server's answer is logged at that level alone
    return _FILTER
