"""The settings of placed files: a private store, and a public one only where somebody names it.

What belongs here: the names of the variables and what is refused. What does not: opening anything (``shelf``).

Invariants: a secret never shows in ``repr``; the two stores are apart, and apart from exports and snapshots; a region that
the community does not allow is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ledger_assets.accounts.settings import NAMES
from ledger_assets.addresses import LOOPBACK
from ledger_assets.backup.settings import BUCKET, BucketSettings
from ledger_assets.environment import Settings
from ledger_assets.errors import SettingsError

PRIVATE, PUBLIC = "MEDIA_STORE_URL", "MEDIA_PUBLIC_STORE_URL"
FOLDER = "served"


@dataclass(frozen=True)
class MediaSettings:
    """Where files are put; ``public`` None: nothing ever lies where anybody can fetch it."""

    private: BucketSettings
    public: BucketSettings | None = None


def read_media_settings(settings: Settings, environ: Mapping[str, str] | None = None) -> MediaSettings | None:
    """Read the variables; None: no store is named, and the database is a real one.

    Raises :class:`SettingsError` naming the variable and the remedy.
    """
    env = {k: v.strip() for k, v in (os.environ if environ is None else environ).items() if v.strip()}
    url, public = env.get(PRIVATE), env.get(PUBLIC)
    if url is None:
        if public is not None:
            raise SettingsError(
                f"{PUBLIC} is set, {PRIVATE} is not: most files are private; name their store first"
            )
        if settings.database_url is not None:
            return None
        url = (settings.home / FOLDER).as_uri()
    private = _store(settings, env, PRIVATE, url)
    if public is None:
        return MediaSettings(private)
    found = MediaSettings(private, _store(settings, env, PUBLIC, public))
    _refuse_same(url, public)
    return found


def place_of(url: str) -> tuple[str, str]:
    """A store's bucket, as rows name it, and the folder in it. Of a directory its own name is the bucket's."""
    parts = urlsplit(url)
    path = parts.path.strip("/")
    return (parts.netloc, path) if parts.scheme == "s3" else (path.rpartition("/")[2], "")


def _store(settings: Settings, env: Mapping[str, str], name: str, url: str) -> BucketSettings:
    parts = urlsplit(url)
    whole = f"{url.rstrip('/')}/{settings.environment}"
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/") and parts.path.strip("/"):
        return BucketSettings(whole)
    if parts.scheme != "s3" or not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]", parts.netloc):
        raise SettingsError(f"{name}: write it as s3://bucket/folder or file:///an/absolute/path")
    _refuse_shared(env, name, url)
    missing = [
        one for one in ("MEDIA_S3_REGION", "MEDIA_ACCESS_KEY_ID", "MEDIA_SECRET_ACCESS_KEY") if one not in env
    ]
    if missing:
        raise SettingsError(
            f"{missing[0]} is not set: the bucket of {name} needs MEDIA_S3_REGION, MEDIA_ACCESS_KEY_ID and "
            "MEDIA_SECRET_ACCESS_KEY (Supabase: Storage, S3 connection)"
        )
    return BucketSettings(
        whole,
        _endpoint(settings, env),
        _region(env),
        env["MEDIA_ACCESS_KEY_ID"],
        env["MEDIA_SECRET_ACCESS_KEY"],
    )


def _endpoint(settings: Settings, env: Mapping[str, str]) -> str | None:
    value = env.get("MEDIA_S3_ENDPOINT")
    if value is None:
        project = env.get(NAMES[settings.environment][0])
        return None if project is None else f"{project.rstrip('/')}/storage/v1/s3"
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise SettingsError("MEDIA_S3_ENDPOINT must be https:// (http:// only on this machine)")
    return value.rstrip("/")


def _region(env: Mapping[str, str]) -> str:
    region = env["MEDIA_S3_REGION"]
    allowed = [part for part in re.split(r"[\s,]+", env.get("BACKUP_REGIONS", "")) if part]
    if allowed and region not in allowed:
        raise SettingsError(
            f"MEDIA_S3_REGION: {region} is not one of BACKUP_REGIONS ({', '.join(allowed)}): stories may lie only where "
            "their community allows"
        )
    return region


def _refuse_shared(env: Mapping[str, str], name: str, url: str) -> None:
    """Nothing that the app can read may lie beside exports and snapshots."""
    for other in (BUCKET, "OBJECT_STORE_URL"):
        value = env.get(other, "")
        bucket = urlsplit(value if "://" in value else f"s3://{value}").netloc
        if bucket and bucket == urlsplit(url).netloc:
            raise SettingsError(
                f"{name} and {other} name the same bucket: files that the app serves need one of their own"
            )


def _refuse_same(private: str, public: str) -> None:
    # Whether it is public is a bucket's property, not a folder's.
    if place_of(private)[0] == place_of(public)[0]:
        raise SettingsError(
            f"{PRIVATE} and {PUBLIC} name the same bucket or folder: give the public one another name"
        )
    first, second = (urlsplit(url) for url in (private, public))
    if first.scheme == second.scheme == "file":
        paths = [f"{part.path.rstrip('/')}/" for part in (first, second)]
        if paths[0].startswith(paths[1]) or paths[1].startswith(paths[0]):
            raise SettingsError(
                f"{PRIVATE} and {PUBLIC} lie one in the other: whoever serves one serves both"
            )
