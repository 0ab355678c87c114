"""Making accounts and linking each to its storyteller.

What belongs here: the order of the steps, so that a crash anywhere leaves what the next run finishes. What does not: who
gets one (``plan``), taking them back (``back``).

    intended   our line stands; the account may be there or not
    made       the account is there, nobody is linked to it
    linked     its profile is there and the storyteller's profile_id names it, in one transaction

Invariants: our line is committed before the account is asked for; an account is linked only when it carries our mark with
that very storyteller; the profile shows no name.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg

from ledger_assets.accounts.directory import AddressTaken, Directory, User
from ledger_assets.accounts.plan import TAKEN, Decision, Person, decide, people, statement, told
from ledger_assets.errors import SettingsError
from ledger_assets.load.sqlfiles import plain_errors
from ledger_assets.progress import report

if TYPE_CHECKING:
    from ledger_assets.writing import Writer

DISPLAY_NAME = "Storyteller"
"""What stands beside their comments until they say otherwise: a name would show what they may not show."""
SHOWN = 20
OTHER_PROJECT = "SUPABASE_URL is another project's: the account made there is not in this database"
CLAIMED = "somebody claimed them meanwhile"
WHAT = "accounts make"


@dataclass
class Made:
    """Counts and, by reason, record ids."""

    made: int = 0
    """Linked now, of which some had been begun by an earlier run or were disabled."""
    codes: Mapping[str, list[str]] = field(default_factory=dict)
    nothing: Mapping[str, list[str]] = field(default_factory=dict)
    erased: int = 0
    """Accounts of people who were erased since, which nobody had used: removed."""
    erased_used: tuple[str, ...] = ()
    """The same that somebody has signed in with: their ids, for a person to ask."""
    would: bool = False

    def detail(self) -> dict[str, Any]:
        """For the record of events: counts, and at most twenty ids a reason."""
        return {
            "made": self.made,
            "erased": self.erased,
            "erased_used": list(self.erased_used[:SHOWN]),
            "codes": {why: {"count": len(ids), "ids": ids[:SHOWN]} for why, ids in self.codes.items()},
            "nothing": {why: {"count": len(ids), "ids": ids[:SHOWN]} for why, ids in self.nothing.items()},
        }


def make(writer: Writer, directory: Directory, *, dry_run: bool = False) -> Made:
    """Make what is missing. Again makes nothing. Raises SettingsError, TargetError."""
    directory.check()
    connection = writer.connection
    users = list(directory.users())
    _assert_same_project(connection, users)
    decisions = decide(people(connection), users)
    wanted = [decision for decision in decisions if decision.answer == "account"]
    if dry_run:
        erased = of_erased(connection)
        return _result(decisions, made=len(wanted), erased=len(erased), would=True)
    erased_now, used = forget_erased(writer, directory)
    by_storyteller = {user.storyteller: user for user in users if user.storyteller is not None}
    made = 0
    for number, decision in enumerate(wanted, 1):
        if why := _one(writer, directory, decision.person, by_storyteller.get(decision.person.id)):
            decisions[decisions.index(decision)] = Decision(decision.person, "code", why)
        else:
            made += 1
        report("accounts", "storytellers", number, len(wanted))
    return _result(decisions, made=made, erased=erased_now, used=tuple(used))


def of_erased(connection: psycopg.Connection) -> list[tuple[str, UUID]]:
    """Storyteller and account of the erased for whom one was made and stands still."""
    with plain_errors(WHAT, undone="nothing was changed"), connection.transaction():
        return [(row[0], row[1]) for row in connection.execute(statement("of_erased")).fetchall()]


def _result(
    decisions: list[Decision], *, made: int, erased: int, used: tuple[str, ...] = (), would: bool = False
) -> Made:
    return Made(made, told(decisions, "code"), told(decisions, "nothing"), erased, used, would)


def _assert_same_project(connection: psycopg.Connection, users: list[User]) -> None:
    """The accounts that the project names must be those of this very database."""
    with plain_errors(WHAT, undone="nothing was changed"), connection.transaction():
        row = connection.execute(
            "select count(*) from auth.users where id = any (%s)", ([user.id for user in users],)
        ).fetchone()
    # Some may be made or deleted at this very moment.
    if users and row is not None and row[0] * 2 < len(users):
        raise SettingsError(
            "SUPABASE_URL is another project's: its accounts are not in this database; set both of one project"
        )


def _one(writer: Writer, directory: Directory, person: Person, marked: User | None) -> str:
    """Bring one person to linked; why not, when the address is somebody else's, or the person."""
    user_id = person.user_id or (marked.id if marked is not None else uuid.uuid4())
    if person.state is None:
        _note(writer, person.id, user_id, "intended")
    user = (directory.find(user_id) if person.user_id is not None else None) or marked
    if user is None:
        assert person.address is not None
        try:
            user = directory.create(user_id, person.address, person.id)
        except AddressTaken:
            # Somebody else's; or our own, whose answer was lost, where Auth gives ids of its own.
            user = next((one for one in directory.users() if one.storyteller == person.id), None)
    if user is None or user.storyteller != person.id:
        _forget(writer, person.id)
        return TAKEN
    if person.state != "made" or user.id != user_id:
        _note(writer, person.id, user.id, "made")
    if user.banned:
        directory.unban(user.id)
    return _link(writer, directory, person, user.id)


def _link(writer: Writer, directory: Directory, person: Person, user_id: UUID) -> str:
    """Profile, link and our line in one transaction; why not."""
    why = ""
    with writer.write(WHAT) as cur:
        new = cur.execute(
            "insert into public.profiles (id, display_name) select %(user)s, %(name)s "
            "where exists (select from auth.users where id = %(user)s) on conflict (id) do nothing returning id::text",
            {"user": user_id, "name": DISPLAY_NAME},
        ).fetchall()
        if not new and not cur.execute("select from public.profiles where id = %s", (user_id,)).rowcount:
            why = OTHER_PROJECT
            raise psycopg.Rollback
        linked = cur.execute(
            "update public.storytellers set profile_id = %(user)s "
            "where id = %(person)s and (profile_id is null or profile_id = %(user)s)",
            {"user": user_id, "person": person.id},
        ).rowcount
        if not linked:
            why = CLAIMED
            raise psycopg.Rollback
        writer.note(cur, "profiles", [row[0] for row in new], "insert")
        writer.note(cur, "storytellers", [person.id], "update", "profile_id")
        _set(cur, person.id, user_id, "linked", writer.run_id)
    if why == OTHER_PROJECT:
        directory.delete(user_id)
        _forget(writer, person.id)
        raise SettingsError(f"{OTHER_PROJECT}, and was removed again; set both of one project")
    if why:
        directory.ban(user_id)
        _note(writer, person.id, user_id, "disabled")
    return why


def _note(writer: Writer, storyteller: str, user_id: UUID, state: str) -> None:
    with writer.write(WHAT) as cur:
        _set(cur, storyteller, user_id, state, writer.run_id)


def _set(cur: psycopg.Cursor[Any], storyteller: str, user_id: UUID, state: str, run_id: str) -> None:
    cur.execute(
        "insert into migration.accounts (storyteller_id, user_id, state, run_id) values (%s, %s, %s, %s) "
        "on conflict (storyteller_id) do update set user_id = excluded.user_id, state = excluded.state, "
        "run_id = excluded.run_id, changed_at = clock_timestamp()",
        (storyteller, user_id, state, run_id),
    )


def _forget(writer: Writer, storyteller: str) -> None:
    with writer.write(WHAT) as cur:
        cur.execute("delete from migration.accounts where storyteller_id = %s", (storyteller,))


def forget_erased(writer: Writer, directory: Directory) -> tuple[int, list[str]]:
    """Remove accounts of the erased that nobody has signed in with; how many, and whose was used."""
    removed, used = 0, []
    for storyteller, user_id in of_erased(writer.connection):
        user = directory.find(user_id)
        if user is not None and user.signed_in:
            used.append(storyteller)
            continue
        if user is not None:
            directory.delete(user.id)
            removed += 1
        _note(writer, storyteller, user_id, "deleted")
    return removed, used
