"""Addresses in settings: their parts, and which database one leads to. Nothing is opened here.

Invariant: no message shows an address, which may hold a password.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

from ledger_assets.errors import SettingsError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def split_address(variable: str, value: str, example: str) -> SplitResult:
    """The parts of an address whose port is a number. Raises SettingsError without showing the value: it may
    hold a password."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise SettingsError(f"{variable} is not an address: write it as {example}") from None
    return parts


def database_place(url: str) -> tuple[str, int, str]:
    """Which database an address leads to: the same for its different addresses."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if project := supabase_project(parts):
        return project, 5432, parts.path
    return "this machine" if host in LOOPBACK else host, parts.port or 5432, parts.path


def supabase_project(parts: SplitResult) -> str | None:
    """The reference of the Supabase project that an address leads to, directly or by the pooler.

    The pooler's host and database are the same for every project: only the user (``postgres.<reference>``) differs.
    """
    host = parts.hostname or ""
    if match := re.fullmatch(r"db\.([a-z0-9]+)\.supabase\.co", host):
        return match[1]
    if host.endswith(".pooler.supabase.com") and (user := unquote(parts.username or "")).count(".") == 1:
        return user.split(".")[1]
    return None
