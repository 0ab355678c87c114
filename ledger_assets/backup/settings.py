"""Every setting of backups, read once, with clear errors.

What belongs here: the names of the variables, their defaults, what is refused. What does not: opening anything (``vault``
opens the bucket, ``identity`` the key).

Invariants: a secret never shows in ``repr``; a real database is never backed up under a password made up here; where a
community's stories lie is its decision: a bucket in a region that ``BACKUP_REGIONS`` does not name is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ledger_assets.addresses import LOOPBACK, split_address
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import SettingsError

PASSWORD = "BACKUP_ENCRYPTION_PASSWORD"  # noqa: S105 - the variable's name
BUCKET = "BACKUP_BUCKET"
CHECKPOINT_HOURS = 1


@dataclass(frozen=True)
class BucketSettings:
    """Where snapshots are kept. ``url``: ``file:///...`` or ``s3://bucket/prefix``; the environment is its last folder."""

    url: str
    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    kms_key: str | None = None
    """SSE-KMS by this key, beside our own encryption; None: the bucket's default."""

    @property
    def remote(self) -> bool:
        """True when it is not a folder of this machine."""
        return not self.url.startswith("file:")


@dataclass(frozen=True)
class Retention:
    """How many snapshots of each tier are kept, and the largest share of them that one run may remove."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 12
    yearly: int = 5
    recent: int = 24
    """Of those that were taken because the database changed."""
    most_share: float = 0.34


@dataclass(frozen=True)
class BackupSettings:
    """All settings of one environment's backups."""

    environment: Environment
    home: Path
    bucket: BucketSettings
    password: str | None = field(repr=False)
    """None: the embedded world's own, made on first use in ``home``."""
    recipients: tuple[str, ...] = ()
    """Further age recipients (``age1...``): an offline key."""
    retention: Retention = Retention()
    changed_hours: float = CHECKPOINT_HOURS
    """At most one snapshot in this many hours because the database changed: the recovery point."""
    timezone: str = "Australia/Brisbane"
    webhook_url: str | None = field(default=None, repr=False)
    email_recipients: tuple[str, ...] = ()
    smtp_url: str | None = field(default=None, repr=False)
    """``smtp://user:password@host:port`` or ``smtps://...``; needed with e-mail recipients."""
    programs: Path | None = None
    """Folder of ``pg_dump`` and ``pg_restore``; None: the newest found that fit the server."""
    scratch_url: str | None = field(default=None, repr=False)
    """Server on which scratch databases are made; None: an embedded Postgres of its own."""


def read_backup_settings(settings: Settings, environ: Mapping[str, str] | None = None) -> BackupSettings:
    """Read the variables. Raises :class:`SettingsError` naming the variable and the remedy."""
    env = {k: v.strip() for k, v in (os.environ if environ is None else environ).items() if v.strip()}
    password, bucket = env.get(PASSWORD), _bucket(env, settings)
    if password is None and (settings.database_url is not None or bucket.remote):
        raise SettingsError(
            f"{PASSWORD} is not set: choose a long passphrase, keep it where this machine is not (without it no snapshot "
            "can be read), and set it"
        )
    notices = read_notice_settings(env)
    return BackupSettings(
        environment=settings.environment,
        home=settings.home,
        bucket=bucket,
        password=password,
        recipients=tuple(_recipient(one) for one in _listed(env, "BACKUP_RECIPIENTS")),
        retention=Retention(
            daily=_whole(env, "BACKUP_KEEP_DAILY", 7),
            weekly=_whole(env, "BACKUP_KEEP_WEEKLY", 4),
            monthly=_whole(env, "BACKUP_KEEP_MONTHLY", 12),
            yearly=_whole(env, "BACKUP_KEEP_YEARLY", 5),
            recent=_whole(env, "BACKUP_KEEP_RECENT", 24),
        ),
        changed_hours=_hours(env, "BACKUP_CHANGED_HOURS", CHECKPOINT_HOURS),
        timezone=read_timezone(env),
        webhook_url=notices.webhook_url,
        email_recipients=notices.email_recipients,
        smtp_url=notices.smtp_url,
        programs=_programs(env),
        scratch_url=env.get("SCRATCH_DATABASE_URL"),
    )


@dataclass(frozen=True)
class NoticeSettings:
    """Who is told. Read alone, so that a missing password or bucket can still be told."""

    webhook_url: str | None = field(default=None, repr=False)
    email_recipients: tuple[str, ...] = ()
    smtp_url: str | None = field(default=None, repr=False)


def read_notice_settings(environ: Mapping[str, str] | None = None) -> NoticeSettings:
    """Read who is told. Raises :class:`SettingsError` naming the variable and the remedy."""
    env = {k: v.strip() for k, v in (os.environ if environ is None else environ).items() if v.strip()}
    emails = _listed(env, "BACKUP_EMAIL_RECIPIENTS")
    smtp = env.get("BACKUP_SMTP_URL")
    if emails and smtp is None:
        raise SettingsError("BACKUP_EMAIL_RECIPIENTS needs BACKUP_SMTP_URL (smtp://user:password@host:587)")
    return NoticeSettings(_webhook(env), emails, smtp)


def _bucket(env: Mapping[str, str], settings: Settings) -> BucketSettings:
    value = env.get(BUCKET)
    if value is None:
        return BucketSettings(f"{(settings.home / 'backups').as_uri()}/{settings.environment}")
    parts = urlsplit(value if "://" in value else f"s3://{value}")
    folder = f"{parts.path.rstrip('/')}/{settings.environment}"
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return BucketSettings(f"file://{folder}")
    return read_bucket(env, f"{parts.scheme}://{parts.netloc}{folder}", BUCKET)


def read_bucket(env: Mapping[str, str], url: str, setting: str) -> BucketSettings:
    """The bucket at ``url``, as ``setting`` names it, with the variables that open it. Raises :class:`SettingsError`."""
    parts = urlsplit(url)
    if parts.scheme != "s3" or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
        raise SettingsError(
            f"{setting}: write it as a bucket's name, s3://bucket/folder or file:///an/absolute/path"
        )
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    _refuse_region(env, region, setting)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if ("AWS_ACCESS_KEY_ID" in env) != ("AWS_SECRET_ACCESS_KEY" in env) and name not in env:
            raise SettingsError(
                f"{name} is not set, its other half is: set both, or neither to use the machine's role"
            )
    return BucketSettings(
        url=url,
        endpoint=_endpoint(env),
        region=region,
        access_key=env.get("AWS_ACCESS_KEY_ID"),
        secret_key=env.get("AWS_SECRET_ACCESS_KEY"),
        session_token=env.get("AWS_SESSION_TOKEN"),
        kms_key=env.get("BACKUP_KMS_KEY"),
    )


def _refuse_region(env: Mapping[str, str], region: str | None, setting: str) -> None:
    if region is None:
        raise SettingsError(f"AWS_REGION is not set: set the region of the bucket in {setting}")
    allowed = _listed(env, "BACKUP_REGIONS")
    if allowed and region not in allowed:
        raise SettingsError(
            f"AWS_REGION: {region} is not one of BACKUP_REGIONS ({', '.join(allowed)}): stories may lie only where their "
            "community allows; use a bucket there"
        )


def _endpoint(env: Mapping[str, str]) -> str | None:
    value = env.get("AWS_ENDPOINT_URL")
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise SettingsError("AWS_ENDPOINT_URL must be https:// (http:// only on this machine)")
    return value.rstrip("/")


def _recipient(value: str) -> str:
    if not re.fullmatch(r"age1[a-z0-9]{20,}", value):
        raise SettingsError(
            "BACKUP_RECIPIENTS holds what is not an age recipient: give public keys (age1...), never a secret key"
        )
    return value


def _listed(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[\s,]+", env.get(name, "")) if part)


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name, str(default))
    if not value.isdigit():
        raise SettingsError(f"{name}: {value!r} is not a whole number, 0 or more")
    return int(value)


def _hours(env: Mapping[str, str], name: str, default: float) -> float:
    value = env.get(name, str(default))
    try:
        hours = float(value)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= 24 * 366:
        raise SettingsError(f"{name}: {value!r} is not a number of hours above 0")
    return hours


def read_timezone(environ: Mapping[str, str] | None = None) -> str:
    """The community's time zone (``LEDGER_TIMEZONE``). Raises :class:`SettingsError`."""
    env = os.environ if environ is None else environ
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    value = env.get("LEDGER_TIMEZONE", "").strip() or "Australia/Brisbane"
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"LEDGER_TIMEZONE: {value!r} is not a time zone; write it as Australia/Brisbane"
        ) from None
    return value


def _webhook(env: Mapping[str, str]) -> str | None:
    value = env.get("BACKUP_WEBHOOK_URL")
    if value is None:
        return None
    parts = split_address("BACKUP_WEBHOOK_URL", value, "https://...")
    if not parts.hostname or parts.scheme not in {"https", "http"}:
        raise SettingsError("BACKUP_WEBHOOK_URL is not an address (https://...)")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise SettingsError("BACKUP_WEBHOOK_URL must be https:// (http:// only on this machine)")
    return value


def _programs(env: Mapping[str, str]) -> Path | None:
    value = env.get("LEDGER_PG_PROGRAMS")
    if value is None:
        return None
    folder = Path(value).absolute()
    if not (folder / "pg_dump").exists() or not (folder / "pg_restore").exists():
        raise SettingsError(f"LEDGER_PG_PROGRAMS: the folder {folder} does not hold pg_dump and pg_restore")
    return folder
