"""Inviting the people whose accounts were made: one mail each, once, and only when somebody asks for it.

What belongs here: whom to write to. What does not: the mail, which is the project's own template.

Invariant: an invitation that may have been sent is not sent again; who has signed in, or whose address was changed since,
gets none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets.accounts.directory import AddressTaken, Directory
from ledger_assets.accounts.plan import people
from ledger_assets.environment import Environment
from ledger_assets.errors import LedgerError, SettingsError
from ledger_assets.progress import report

if TYPE_CHECKING:
    from ledger_assets.writing import Writer

WHAT = "accounts invite"


@dataclass(frozen=True)
class Invited:
    """Counts; ``passed``: record ids of those who are not written to (confirmed, banned, another address now)."""

    invited: int = 0
    before: int = 0
    passed: tuple[str, ...] = ()


def invite(writer: Writer, directory: Directory, *, dry_run: bool = False) -> Invited:
    """Invite everybody who was not. Raises SettingsError, TargetError; what was sent before is recorded."""
    if writer.environment is not Environment.PRODUCTION:
        raise SettingsError("invitations are sent from production alone: nobody is to hear of a rehearsal")
    directory.check()
    users = {user.id: user for user in directory.users()}
    linked = [p for p in people(writer.connection) if p.claimed and p.state == "linked"]
    before = sum(person.invited for person in linked)
    waiting = [person for person in linked if not person.invited]
    invited, passed = 0, []
    for number, person in enumerate(waiting, 1):
        user = users.get(person.user_id) if person.user_id is not None else None
        if user is None or user.confirmed or user.banned or person.address != user.email:
            passed.append(person.name)
            continue
        invited += 1
        if dry_run:
            continue
        try:
            if not user.invited:  # sent, and killed before it was recorded
                directory.invite(user.email)
        except AddressTaken:
            invited -= 1
            passed.append(person.name)
            continue
        except LedgerError as error:
            raise type(error)(f"{error} ({invited - 1} were invited and are not written to again)") from None
        with writer.write(WHAT) as cur:
            cur.execute(
                "update migration.accounts set invited_at = clock_timestamp(), changed_at = clock_timestamp() "
                "where storyteller_id = %s",
                (person.id,),
            )
        report("accounts", "invitations", number, len(waiting))
    return Invited(invited, before, tuple(passed))
