"""Who gets an account, who a claim code, who neither, and why.

What belongs here: reading the people, and that decision. What does not: making anything (``make``, ``codes``).

Invariants: whoever cannot be told to be the only one who reads an address gets a code, which a steward confirms; a link that
somebody took away by hand is not made again; the dead, and who has gone from Airtable, get neither by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, LiteralString
from uuid import UUID

from ledger_assets.accounts import mailboxes
from ledger_assets.load.sqlfiles import plain_errors

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.accounts.directory import User

Answer = Literal["account", "code", "nothing"]
TAKEN = "somebody has an account with this address"
HAS_ONE = "they have an account"
UNLINKED = "their account was unlinked by hand"
OWN_DELETED = "their account was deleted"
DECEASED = "they have died"
GONE = "they have gone from Airtable"
MOVED = "their address is another than their account's"


@dataclass(frozen=True)
class Person:
    """A storyteller. ``name``: their record id, else the uuid; never their name."""

    id: str
    name: str
    address: str | None = field(repr=False)
    claimed: bool
    deceased: bool
    gone: bool
    user_id: UUID | None
    state: str | None
    invited: bool
    has_profile: bool
    has_code: bool


@dataclass(frozen=True)
class Decision:
    """``why`` is empty for an account that is to be made."""

    person: Person
    answer: Answer
    why: str = ""


@cache
def statement(name: str) -> LiteralString:
    """The SQL of ``sql/<name>.sql``."""
    text: LiteralString = (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    return text


def people(connection: psycopg.Connection) -> list[Person]:
    """Everybody who was not erased. Raises TargetError."""
    with plain_errors("the storytellers", undone="nothing was changed"), connection.transaction():
        rows = connection.execute(statement("people")).fetchall()
    return [Person(*row) for row in rows]


def decide(everybody: Iterable[Person], users: Iterable[User]) -> list[Decision]:
    """What each gets; ``users``: every account there is."""
    everybody = list(everybody)
    # Also of those who get none: the mailbox is theirs as well.
    several = mailboxes.repeated(person.address for person in everybody if person.address is not None)
    by_id = {user.id: user for user in users}
    owners: dict[str, set[str | None]] = {}
    for user in by_id.values():
        owners.setdefault(mailboxes.mailbox(user.email), set()).add(user.storyteller)
    return [_decide(person, several, by_id, owners) for person in everybody]


def _decide(
    person: Person, several: frozenset[str], by_id: Mapping[UUID, User], owners: Mapping[str, set[str | None]]
) -> Decision:
    own = by_id.get(person.user_id) if person.user_id is not None else None
    if person.claimed:
        moved = own is not None and person.address is not None and own.email != person.address
        return Decision(person, "nothing", MOVED if moved else HAS_ONE)
    if person.gone or person.deceased:
        return Decision(person, "nothing", GONE if person.gone else DECEASED)
    if person.state == "linked" and own is not None and person.has_profile:
        return Decision(person, "nothing", UNLINKED)
    if person.state == "deleted" or (person.state in ("made", "linked", "disabled") and own is None):
        return Decision(person, "code", OWN_DELETED)
    why = mailboxes.refusal(person.address)
    if why is None and person.address is not None:
        box = mailboxes.mailbox(person.address)
        if box in several:
            why = mailboxes.REPEATED
        elif owners.get(box, set()) - {person.id}:
            why = TAKEN
        elif own is not None and own.email != person.address:
            why = MOVED
    return Decision(person, "code", why) if why else Decision(person, "account")


def told(decisions: Iterable[Decision], answer: Answer) -> dict[str, list[str]]:
    """By reason, who gets this answer: record ids."""
    found: dict[str, list[str]] = {}
    for decision in decisions:
        if decision.answer == answer and decision.why:
            found.setdefault(decision.why, []).append(decision.person.name)
    return found
