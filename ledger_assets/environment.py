"""Environments, and every environment variable read once, with clear errors.

What belongs here: the names of the variables, their defaults, and the rule which settings belong together.
What does not: opening anything. Reading settings opens no socket and creates no file.

Invariants: a process of one environment needs only that environment's settings; a value that is a secret never
shows in ``repr``; settings that do not belong together are refused before anything is touched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from ledger_assets.addresses import LOOPBACK, database_place, split_address, supabase_project
from ledger_assets.errors import SettingsError

AIRTABLE_ENDPOINT = "https://api.airtable.com"
REQUESTS_PER_SECOND = 5.0
"""Airtable's limit per base, on every plan (support.airtable.com)."""

SYNTHETIC_BASE_ID = "appLedgerSynthetic"
"""Base id of the local server's synthetic base of the Empathy Ledger's shape."""
SYNTHETIC_ANY_BASE_ID = "appLedgerEveryType"
"""Base id of the local server's synthetic base with every type of field (profile ``any_base``)."""


class Environment(StrEnum):
    """A complete lane of its own: jobs, settings and database of one never touch the other's."""

    STAGING = "staging"
    PRODUCTION = "production"


class Profile(StrEnum):
    """Which table modules apply."""

    EMPATHY_LEDGER = "empathy_ledger"
    ANY_BASE = "any_base"
    """No table modules: export, raw records and proof only, for any Airtable base."""


DATABASE_EXAMPLE = "postgresql://user:password@host:5432/database"

DATABASE_VARIABLE = {Environment.STAGING: "STAGING_DATABASE_URL", Environment.PRODUCTION: "DATABASE_URL"}


@dataclass(frozen=True)
class AirtableSettings:
    """Where the base is. ``synthetic``: the local server's base, because no real one is named."""

    base_id: str
    endpoint_url: str | None
    api_key: str | None = field(repr=False)
    requests_per_second: float

    @property
    def synthetic(self) -> bool:
        """True when the local Airtable server with its synthetic base stands for Airtable."""
        return self.endpoint_url is None


@dataclass(frozen=True)
class Settings:
    """All settings of one environment."""

    environment: Environment
    home: Path
    profile: Profile
    airtable: AirtableSettings
    database_url: str | None = field(repr=False)
    """None: the embedded Postgres."""
    target_name: str
    """The database's own name for people, asked for by ``--confirm``; never holds a password."""
    object_store_url: str
    first_month: date
    """First monthly partition; older records belong to it."""
    mappings: Path | None
    """Folder of the reviewed mapping files; None: those shipped for the synthetic base."""

    @property
    def pin_folder(self) -> Path:
        """Folder of the base's ``base.json``."""
        return pin_folder(self.home, self.airtable.base_id)

    @property
    def embedded_database(self) -> str:
        """Name of this environment's database in the embedded Postgres."""
        return f"ledger_{self.environment}"


def read_home(environ: Mapping[str, str]) -> Path:
    """The folder for everything this project keeps on the machine (``LEDGER_HOME``, else ``.ledger/``)."""
    return Path(environ.get("LEDGER_HOME", "").strip() or ".ledger").absolute()


def pin_folder(home: Path, base_id: str) -> Path:
    """Where the base's pinned metadata (``base.json``) is kept: of each base its own."""
    return home / "bases" / re.sub(r"[^A-Za-z0-9]", "_", base_id)


def read_settings(environment: Environment, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the variables of ``environment``. Raises :class:`SettingsError` naming the variable and the remedy."""
    env = {k: v.strip() for k, v in (os.environ if environ is None else environ).items() if v.strip()}
    home = read_home(env)
    profile = _profile(env)
    airtable = _airtable(env, profile)
    variable = DATABASE_VARIABLE[environment]
    database_url = env.get(variable)
    target_name = _target_name(environment, variable, database_url)
    _refuse_mixtures(environment, env, airtable, database_url)
    return Settings(
        environment=environment,
        home=home,
        profile=profile,
        airtable=airtable,
        database_url=database_url,
        target_name=target_name,
        object_store_url=f"{_object_store(env) or (home / 'objects').as_uri()}/{environment}",
        first_month=_first_month(env),
        mappings=_folder(env, "LEDGER_MAPPINGS"),
    )


def _profile(env: Mapping[str, str]) -> Profile:
    value = env.get("LEDGER_PROFILE", Profile.EMPATHY_LEDGER)
    try:
        return Profile(value)
    except ValueError:
        known = " or ".join(Profile)
        raise SettingsError(f"LEDGER_PROFILE: {value!r} is not a profile; use {known}") from None


def _base_id(env: Mapping[str, str], profile: Profile) -> str:
    synthetic = SYNTHETIC_ANY_BASE_ID if profile is Profile.ANY_BASE else SYNTHETIC_BASE_ID
    return env.get("AIRTABLE_BASE_ID", synthetic)


def _airtable(env: Mapping[str, str], profile: Profile) -> AirtableSettings:
    key, base, endpoint = (
        env.get("AIRTABLE_API_KEY"),
        env.get("AIRTABLE_BASE_ID"),
        env.get("AIRTABLE_ENDPOINT_URL"),
    )
    rate = _rate(env)
    if key is None and base is None and endpoint is None:
        return AirtableSettings(_base_id(env, profile), None, None, rate)
    if key is None:
        raise SettingsError(
            "AIRTABLE_API_KEY is not set: set a personal access token with data.records:read, "
            "data.recordComments:read and schema.bases:read for the base, or unset AIRTABLE_BASE_ID and "
            "AIRTABLE_ENDPOINT_URL to use the synthetic base"
        )
    if not re.fullmatch(r"[!-~]+", key):
        raise SettingsError(
            "AIRTABLE_API_KEY holds a space, a line break or a special character: copy the token again"
        )
    if base is None:
        raise SettingsError(
            "AIRTABLE_BASE_ID is not set: set the base's id (app...), it stands in the base's address"
        )
    if not re.fullmatch(r"app[A-Za-z0-9]{14,}", base):
        raise SettingsError(
            f"AIRTABLE_BASE_ID: {base!r} is not a base id; it starts with 'app' (17 characters)"
        )
    endpoint = (endpoint or AIRTABLE_ENDPOINT).rstrip("/")
    parts = split_address("AIRTABLE_ENDPOINT_URL", endpoint, "https://api.airtable.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise SettingsError(
            f"AIRTABLE_ENDPOINT_URL: {endpoint!r} must be https:// (http:// only on this machine)"
        )
    if parts.username or parts.password:
        raise SettingsError(
            "AIRTABLE_ENDPOINT_URL must not hold a user name or password; use AIRTABLE_API_KEY"
        )
    return AirtableSettings(base, endpoint, key, rate)


def _rate(env: Mapping[str, str]) -> float:
    value = env.get("AIRTABLE_REQUESTS_PER_SECOND")
    if value is None:
        return REQUESTS_PER_SECOND
    try:
        rate = float(value)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1_000_000:
        raise SettingsError(
            f"AIRTABLE_REQUESTS_PER_SECOND: {value!r} is not a number above 0; Airtable allows 5"
        )
    return rate


def _refuse_mixtures(
    environment: Environment, env: Mapping[str, str], airtable: AirtableSettings, database_url: str | None
) -> None:
    """Refuse settings that do not belong together: the mistakes that destroy or expose something."""
    variable = DATABASE_VARIABLE[environment]
    if database_url is not None and airtable.synthetic:
        raise SettingsError(
            f"{variable} names a real database, but no Airtable base is set: the synthetic base must never be loaded "
            f"into it. Set AIRTABLE_API_KEY and AIRTABLE_BASE_ID, or unset {variable}"
        )
    if database_url is None and environment is Environment.PRODUCTION and not airtable.synthetic:
        raise SettingsError(
            "DATABASE_URL is not set, but AIRTABLE_BASE_ID names a real base: production never runs in the embedded "
            "Postgres. Set DATABASE_URL to the production database"
        )
    others = {other: env.get(name) for other, name in DATABASE_VARIABLE.items() if other is not environment}
    for other, url in others.items():
        if database_url is None or url is None:
            continue
        split_address(DATABASE_VARIABLE[other], url, DATABASE_EXAMPLE)
        if database_place(database_url) == database_place(url):
            raise SettingsError(
                f"{variable} and {DATABASE_VARIABLE[other]} name the same database: {environment} and {other} "
                "must be two databases"
            )


def _target_name(environment: Environment, variable: str, url: str | None) -> str:
    if url is None:
        return f"ledger_{environment}"
    parts = split_address(variable, url, DATABASE_EXAMPLE)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname or len(parts.path) < 2:
        raise SettingsError(f"{variable} is not of the form {DATABASE_EXAMPLE}")
    if parts.port == 6543:
        raise SettingsError(
            f"{variable}: port 6543 is Supabase's transaction pooler, which cannot hold a migration; use the direct "
            "connection or the session pooler on port 5432"
        )
    return f"{supabase_project(parts) or parts.hostname}{parts.path}"


def _first_month(env: Mapping[str, str]) -> date:
    value = env.get("LEDGER_FIRST_MONTH", "2024-10")
    try:
        year, month = value.split("-")
        return date(int(year), int(month), 1)
    except ValueError:
        raise SettingsError(f"LEDGER_FIRST_MONTH: {value!r} is not a month; write it as 2024-10") from None


def _object_store(env: Mapping[str, str]) -> str | None:
    value = env.get("OBJECT_STORE_URL")
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return value.rstrip("/")
    if parts.scheme != "s3" or not parts.netloc:
        raise SettingsError(
            f"OBJECT_STORE_URL: {parts.scheme or 'a path'} is not supported: use file:///an/absolute/path, or "
            "s3://bucket/folder, where everything is encrypted by BACKUP_ENCRYPTION_PASSWORD"
        )
    if "BACKUP_ENCRYPTION_PASSWORD" not in env:
        raise SettingsError(
            "OBJECT_STORE_URL: exports hold people's words and leave this machine only encrypted: set "
            "BACKUP_ENCRYPTION_PASSWORD, or use file:///an/absolute/path"
        )
    return value.rstrip("/")


def _folder(env: Mapping[str, str], variable: str) -> Path | None:
    value = env.get(variable)
    if value is None:
        return None
    folder = Path(value).absolute()
    if not folder.is_dir():
        raise SettingsError(f"{variable}: the folder {folder} does not exist")
    return folder


@dataclass(frozen=True)
class Shape:
    """What decides which assets exist: read at import, so that a location loads although a secret is missing."""

    pin_folder: Path
    profile: Profile
    first_month: date


def read_shape(environ: Mapping[str, str] | None = None) -> Shape:
    """Read what the asset graph depends on. Raises :class:`SettingsError`."""
    env = {k: v.strip() for k, v in (os.environ if environ is None else environ).items() if v.strip()}
    profile = _profile(env)
    return Shape(pin_folder(read_home(env), _base_id(env, profile)), profile, _first_month(env))
