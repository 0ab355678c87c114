"""Taking back the accounts that the migration made: the way back of ``make``.

What belongs here: unlinking and disabling. What does not: deleting anybody's words: what people wrote with an account stays.

Invariants: the link goes before the account, so that whoever is signed in sees nothing of theirs from that moment on;
interrupted anywhere, the same again finishes, and ``make`` makes whole again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from ledger_assets.accounts.directory import Directory
from ledger_assets.load.sqlfiles import plain_errors
from ledger_assets.progress import report

if TYPE_CHECKING:
    from ledger_assets.writing import Writer

WHAT = "accounts disable"
_STANDING = (
    "select storyteller_id::text, user_id, state from migration.accounts "
    "where state in ('intended', 'made', 'linked') and (%(run)s::text is null or run_id = %(run)s) order by storyteller_id"
)
_RECORDED = "select storyteller_id::text from migration.accounts"


@dataclass(frozen=True)
class TakenBack:
    """Counts. ``never_made``: begun, and no account was there; ``gone``: deleted by somebody else before."""

    disabled: int = 0
    unlinked: int = 0
    never_made: int = 0
    gone: int = 0


def take_back(
    writer: Writer, directory: Directory, *, of_run: str | None = None, dry_run: bool = False
) -> TakenBack:
    """Unlink and disable what run ``of_run`` (None: every run) made. Again does nothing. Raises TargetError."""
    connection = writer.connection
    with plain_errors(WHAT, undone="nothing was changed"), connection.transaction():
        standing = connection.execute(_STANDING, {"run": of_run}).fetchall()
        recorded = {row[0] for row in connection.execute(_RECORDED).fetchall()}
    # An account whose line says "intended" may have another id than it was asked for; one without a line came to be after
    # the line was taken back, by a request that was under way.
    marked = {user.storyteller: user for user in directory.users() if user.storyteller}
    strays = [
        user for one, user in marked.items() if of_run is None and one not in recorded and not user.banned
    ]
    if dry_run:
        return TakenBack(disabled=len(standing) + len(strays))
    disabled = unlinked = never = gone = 0
    for user in strays:
        directory.ban(user.id)
        disabled += 1
    for number, (storyteller, user_id, state) in enumerate(standing, 1):
        unlinked += _unlink(writer, storyteller, user_id) if state == "linked" else 0
        own = directory.find(user_id) or marked.get(storyteller)
        if own is None:
            never, gone = (never + 1, gone) if state == "intended" else (never, gone + 1)
            _end(writer, storyteller, user_id, None if state == "intended" else "deleted")
        else:
            directory.ban(own.id)
            _end(writer, storyteller, own.id, "disabled")
            disabled += 1
        report("accounts", "taken back", number, len(standing))
    return TakenBack(disabled, unlinked, never, gone)


def _unlink(writer: Writer, storyteller: str, user_id: UUID) -> int:
    with writer.write(WHAT) as cur:
        found = cur.execute(
            "update public.storytellers set profile_id = null where id = %s and profile_id = %s",
            (storyteller, user_id),
        ).rowcount
        writer.note(cur, "storytellers", [storyteller] * found, "update", "profile_id")
        # Interrupted here, the next `make` links it again instead of taking it for a link taken away by hand.
        cur.execute(
            "update migration.accounts set state = 'made', changed_at = clock_timestamp() where storyteller_id = %s",
            (storyteller,),
        )
    return found


def _end(writer: Writer, storyteller: str, user_id: UUID, state: str | None) -> None:
    with writer.write(WHAT) as cur:
        if state is None:
            cur.execute("delete from migration.accounts where storyteller_id = %s", (storyteller,))
        else:
            cur.execute(
                "update migration.accounts set state = %s, user_id = %s, changed_at = clock_timestamp() "
                "where storyteller_id = %s",
                (state, user_id, storyteller),
            )
