"""The settings of accounts: the Supabase project whose Auth makes them.

What belongs here: the names of the variables and what is refused. What does not: asking the project (``api``).

Invariants: the service key never shows in ``repr``; staging's accounts are made by staging's project alone; a project that
is not the database's own is refused where the addresses tell.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ledger_assets.addresses import LOOPBACK, split_address, supabase_project
from ledger_assets.environment import DATABASE_VARIABLE, Environment, Settings
from ledger_assets.errors import SettingsError

NAMES = {
    Environment.STAGING: ("STAGING_SUPABASE_URL", "STAGING_SUPABASE_SERVICE_KEY"),
    Environment.PRODUCTION: ("SUPABASE_URL", "SUPABASE_SERVICE_KEY"),
}
"""As with the databases, each environment has its own."""


@dataclass(frozen=True)
class AuthSettings:
    """A project's Auth. ``names``: what messages call the two settings."""

    url: str
    service_key: str = field(repr=False)
    names: tuple[str, str] = NAMES[Environment.PRODUCTION]


def read_auth_settings(settings: Settings, environ: Mapping[str, str] | None = None) -> AuthSettings | None:
    """Read the variables; None: there is no project, plain Postgres's own table of accounts serves.

    Raises :class:`SettingsError` naming the variable and the remedy.
    """
    env = {k: v.strip() for k, v in (os.environ if environ is None else environ).items() if v.strip()}
    url_name, key_name = NAMES[settings.environment]
    url, key = env.get(url_name), env.get(key_name)
    database = urlsplit(settings.database_url) if settings.database_url is not None else None
    theirs = supabase_project(database) if database is not None else None
    if url is None or key is None:
        if url is not None or key is not None:
            missing, there = (url_name, key_name) if url is None else (key_name, url_name)
            raise SettingsError(
                f"{missing} is not set, {there} is: set both (Supabase: Project Settings, API)"
            )
        if theirs is not None:
            raise SettingsError(
                f"{url_name} is not set, but {DATABASE_VARIABLE[settings.environment]} is a Supabase project's: accounts "
                f"are made by its Auth; set {url_name}=https://{theirs}.supabase.co and {key_name}"
            )
        return None
    parts = split_address(url_name, url, "https://reference.supabase.co")
    if not parts.hostname or (
        parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK)
    ):
        raise SettingsError(f"{url_name} must be https:// (http:// only on this machine)")
    if parts.username or parts.password or parts.path.strip("/"):
        raise SettingsError(
            f"{url_name}: write it as https://reference.supabase.co, without path or password"
        )
    match = re.fullmatch(r"([a-z0-9]+)\.supabase\.co", parts.hostname)
    ours = match[1] if match else None
    if ours is not None and ours != theirs:
        where = "another project's" if theirs is not None else "no project's"
        raise SettingsError(
            f"{url_name} is of project {ours}, but the database of {settings.environment} is {where}: its accounts would be "
            "made for other people's stories; set both of one project"
        )
    _refuse_key(key, key_name, ours or theirs)
    return AuthSettings(url.rstrip("/"), key, (url_name, key_name))


def _refuse_key(key: str, name: str, project: str | None) -> None:
    """A key tells its role, and the older kind its project, too."""
    if not re.fullmatch(r"[!-~]+", key):
        raise SettingsError(f"{name} holds a space, a line break or a special character: copy the key again")
    if key.startswith("sb_publishable_"):
        raise SettingsError(f"{name} is the publishable key: use the secret one (service_role)")
    claims = _claims(key)
    if claims.get("role", "service_role") != "service_role":
        raise SettingsError(f"{name} is not the service role's key: use the secret one (service_role)")
    if project is not None and claims.get("ref", project) != project:
        raise SettingsError(f"{name} is another project's key: use the one of project {project}")


def _claims(key: str) -> dict[str, object]:
    parts = key.split(".")
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}
