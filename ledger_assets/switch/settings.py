"""The deploy hooks of the settings. Nothing is opened here.

Invariants: an address of a hook is a secret (its path usually is one): no message and no ``repr`` shows more than its
host; without a signature's secret no hook is called.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger_assets.addresses import LOOPBACK, split_address
from ledger_assets.errors import SettingsError

URLS = "DEPLOY_HOOK_URLS"
SECRET = "DEPLOY_HOOK_SECRET"  # noqa: S105 - the variable's name
EXAMPLE = "https://host/path"
SHORTEST = 16


@dataclass(frozen=True)
class Hook:
    """One address. ``mark`` tells it from another of the same host without telling anything of it."""

    url: str = field(repr=False)
    host: str
    mark: str


@dataclass(frozen=True)
class Hooks:
    """All of them, in the settings' order."""

    all: tuple[Hook, ...] = ()
    secret: bytes = field(default=b"", repr=False)


def read_hooks(environ: Mapping[str, str] | None = None) -> Hooks:
    """Read the two variables. Raises SettingsError naming the variable and the remedy."""
    env = {k: v.strip() for k, v in (os.environ if environ is None else environ).items() if v.strip()}
    urls = list(dict.fromkeys(url for part in env.get(URLS, "").split(",") if (url := part.strip())))
    if not urls:
        return Hooks()
    secret = env.get(SECRET, "").encode()
    if len(secret) < SHORTEST:
        raise SettingsError(
            f"{SECRET} is {'not set' if not secret else 'too short'}: {URLS} needs one of at least {SHORTEST} characters, "
            "which the receiver knows too, so that nobody else can announce a switch"
        )
    return Hooks(tuple(_hook(url, number, secret) for number, url in enumerate(urls, 1)), secret)


def _hook(url: str, number: int, secret: bytes) -> Hook:
    parts = split_address(URLS, url, EXAMPLE)
    if not parts.hostname or parts.scheme not in {"https", "http"} or any(c.isspace() for c in url):
        raise SettingsError(
            f"{URLS}: number {number} is not an address: write it as {EXAMPLE}, with commas between"
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise SettingsError(f"{URLS}: number {number} must be https:// (http:// only on this machine)")
    if parts.username or parts.password:
        raise SettingsError(
            f"{URLS}: number {number} must not hold a user name or password: the signature stands for it"
        )
    return Hook(url, parts.hostname, hmac.new(secret, url.encode(), hashlib.sha256).hexdigest()[:12])
