"""A production of the synthetic world with a window, recipients, a mail server and a webhook of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_string
from email.header import decode_header, make_header
from pathlib import Path

from ledger_assets.environment import Environment, Settings, read_settings
from tests.backup.mail import Hook, Mailbox, smtp_server, webhook

START = datetime(2026, 12, 5, 16, tzinfo=UTC)
"""Sunday 6 December 2026, 2:00 am in Brisbane."""
PEOPLE = ("kim@example.org", "o'neil@example.org", "sam+stories@example.org")


@dataclass
class World:
    """Settings, and what reached anybody."""

    folder: Path
    box: Mailbox
    hook: Hook
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "LEDGER_HOME": str(self.folder / "home"),
            "MIGRATION_AT": "2026-12-06T02:00+10:00",
            "ANNOUNCE_RECIPIENTS": str(self.folder / "people.txt"),
            "BACKUP_SMTP_URL": f"smtp://127.0.0.1:{self.box.port}?from=stories@example.org",
            "BACKUP_WEBHOOK_URL": self.hook.url,
            "STATUS_PAGE_URL": (self.folder / "public").as_uri(),
            **self.more,
        }

    @property
    def production(self) -> Settings:
        return read_settings(Environment.PRODUCTION, self.environ)

    @property
    def staging(self) -> Settings:
        return read_settings(Environment.STAGING, self.environ)

    @property
    def public(self) -> Path:
        return self.folder / "public"

    def people(self, *lines: str) -> None:
        (self.folder / "people.txt").write_text("\n".join(lines) + "\n")

    @property
    def got(self) -> list[str]:
        """Who got a message, in order."""
        return [recipient for recipient, _ in self.box.got]

    @property
    def subjects(self) -> list[str]:
        return [subject(text) for _, text in self.box.got]

    @property
    def told(self) -> list[str]:
        """Titles of what the webhook got."""
        return [str(one["title"]) for one in self.hook.got]


def subject(text: str) -> str:
    """A message's subject in words."""
    return str(make_header(decode_header(message_from_string(text)["Subject"])))


def body(text: str) -> str:
    """A message's text in words."""
    payload = message_from_string(text).get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A world with three people."""
    with smtp_server() as box, webhook() as hook:
        made = World(folder, box, hook)
        made.people(*PEOPLE)
        yield made
