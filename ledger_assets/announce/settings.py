"""The settings of announcements and of the status page, read once, with clear errors.

What belongs here: the names of the variables and what is refused. What does not: reading the files they name
(``contacts``, ``recipients``, ``templates``), the times (``window``).

Invariant: the public page never lies where people's words lie: not in the bucket of the snapshots or of the object store,
not in this machine's home.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ledger_assets.announce.recipients import RECIPIENTS
from ledger_assets.announce.templates import TEMPLATES
from ledger_assets.backup.settings import BucketSettings, read_bucket
from ledger_assets.environment import Settings
from ledger_assets.errors import SettingsError

STATUS_PAGE = "STATUS_PAGE_URL"


@dataclass(frozen=True)
class PagePlace:
    """Where the page is published: a folder of this machine, or a bucket."""

    folder: Path | None
    bucket: BucketSettings | None


def announce_folder(settings: Settings) -> Path:
    """What is remembered about announcements; readable by its owner alone."""
    return settings.home / "announce" / str(settings.environment)


def recipients_file(environ: Mapping[str, str] | None = None) -> Path:
    """The file of the recipients. Raises SettingsError when it is not named."""
    value = _value(environ, RECIPIENTS)
    if not value:
        raise SettingsError(f"{RECIPIENTS} is not set: set it to a file with one e-mail address a line")
    return Path(value).absolute()


def templates_folder(environ: Mapping[str, str] | None = None) -> Path | None:
    """The community's own words; None: the shipped ones."""
    value = _value(environ, TEMPLATES)
    return Path(value).absolute() if value else None


def page_place(settings: Settings, environ: Mapping[str, str] | None = None) -> PagePlace | None:
    """Where the page is published; None when it is nowhere. Raises SettingsError."""
    env = {k: v.strip() for k, v in (os.environ if environ is None else environ).items() if v.strip()}
    value = env.get(STATUS_PAGE)
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        folder = Path(url2pathname(parts.path)).resolve()
        _refuse_folder(folder, settings, env)
        return PagePlace(folder, None)
    if parts.scheme != "s3":
        raise SettingsError(f"{STATUS_PAGE}: write it as s3://bucket/folder or file:///an/absolute/path")
    bucket = read_bucket(env, value.rstrip("/"), STATUS_PAGE)
    for name in ("BACKUP_BUCKET", "OBJECT_STORE_URL"):
        other = env.get(name, "")
        if urlsplit(other if "://" in other else f"s3://{other}").netloc == parts.netloc:
            raise SettingsError(
                f"{STATUS_PAGE}: this is the bucket of {name}, which must never be public: use a bucket of its own"
            )
    # A page encrypted by a key of ours could be read by nobody.
    return PagePlace(None, replace(bucket, kms_key=None))


def _refuse_folder(folder: Path, settings: Settings, env: Mapping[str, str]) -> None:
    private = {"LEDGER_HOME": settings.home.resolve()}
    for name in ("BACKUP_BUCKET", "OBJECT_STORE_URL"):
        parts = urlsplit(env.get(name, ""))
        if parts.scheme == "file":
            private[name] = Path(url2pathname(parts.path)).resolve()
    for name, place in private.items():
        if folder == place or folder.is_relative_to(place) or place.is_relative_to(folder):
            raise SettingsError(
                f"{STATUS_PAGE}: this folder and that of {name} lie in one another, and what lies there must never be "
                "public: use a folder of its own"
            )


def _value(environ: Mapping[str, str] | None, name: str) -> str:
    return (os.environ if environ is None else environ).get(name, "").strip()
