"""Where accounts are: what is asked of Supabase's Auth, and of plain Postgres in its place.

What belongs here: the questions, and what an account is to them. What does not: who gets one (``plan``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from ledger_assets.errors import LedgerError

MARK = "ledger_assets_storyteller"
"""Key in an account's app_metadata, which its holder cannot change: the storyteller the migration made it for."""


class AddressTaken(LedgerError):
    """An account with this address was made by somebody else meanwhile."""


@dataclass(frozen=True)
class User:
    """An account. ``storyteller``: for whom the migration made it; None: the migration did not."""

    id: UUID
    email: str = field(repr=False)
    storyteller: str | None
    confirmed: bool
    signed_in: bool
    invited: bool
    banned: bool


class Directory(Protocol):
    """The accounts of one project."""

    def check(self) -> None:
        """Raises SettingsError for a project in which an account would be anybody's."""

    def users(self) -> Iterator[User]:
        """Every account."""

    def find(self, user_id: UUID) -> User | None:
        """The account with that id."""

    def create(self, user_id: UUID, email: str, storyteller: str) -> User:
        """A new account, unconfirmed, without a mail to anybody. Raises AddressTaken."""

    def ban(self, user_id: UUID) -> None:
        """Let nobody sign in with it any more."""

    def unban(self, user_id: UUID) -> None:
        """Let its holder sign in again."""

    def delete(self, user_id: UUID) -> None:
        """Remove it with its address."""

    def invite(self, email: str) -> None:
        """Send the project's invitation. Raises AddressTaken when its holder has confirmed the address already."""
