"""Telling people, from the settings alone: what the resource and the commands use.

What belongs here: which outbox, which channels. What does not: reading the rest of the settings. A missing password or
bucket is itself something to tell, so nothing here asks for them.

Invariant: nothing here raises.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from ledger_assets.backup import absence
from ledger_assets.backup.channels import Channel, channels
from ledger_assets.backup.messages import Message
from ledger_assets.backup.outbox import Delivered, notify, outbox_folder, refuse
from ledger_assets.backup.settings import read_notice_settings
from ledger_assets.environment import Environment, read_home
from ledger_assets.errors import SettingsError

_log = logging.getLogger(__name__)


def send(
    environment: Environment,
    message: Message | None,
    *,
    now: datetime,
    environ: Mapping[str, str] | None = None,
) -> Delivered:
    """Keep the message and send what waits (None: only that). Wrong settings: it waits until they are right."""
    env = os.environ if environ is None else environ
    outbox = _outbox(environment, env)
    try:
        ways = _channels(env)
    except SettingsError as error:
        _log.warning("nobody can be told: %s", error)
        return refuse(outbox, message, str(error))
    return notify(outbox, ways, message, now=now)


def watch(
    environment: Environment,
    newest_verified_at: datetime | None,
    *,
    now: datetime,
    within: timedelta = absence.WITHIN,
    environ: Mapping[str, str] | None = None,
) -> Message | None:
    """Tell of the absence of a fresh verified snapshot, at most once in six hours. Returns what was told."""
    env = os.environ if environ is None else environ
    outbox = _outbox(environment, env)
    message = absence.alert(environment, newest_verified_at, now, within)
    try:
        if message is None:
            absence.fresh(outbox)
        elif absence.due(outbox, now):
            send(environment, message, now=now, environ=env)
            absence.told(outbox, now)
            return message
    except OSError as error:
        _log.warning("the outbox cannot be used (%s): absence is told each time", type(error).__name__)
    return None


def _outbox(environment: Environment, env: Mapping[str, str]) -> Path:
    return outbox_folder(read_home(env), environment)


def _channels(env: Mapping[str, str]) -> dict[str, Channel]:
    settings = read_notice_settings(env)
    return channels(settings.webhook_url, settings.email_recipients, settings.smtp_url)
