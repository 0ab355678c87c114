"""A restore, whole: the snapshot into scratch, proven and purged of the erased, then merged into the live database.

What belongs here: the order of the steps and what each refuses. What does not: the merge (``merge``), the scratch copy
(``verify.restored``), erasures (``erasure``).

Invariants: nothing of the live database is touched before the copy has been found equal to its manifest, brought to this
release's schema, and purged of everybody who had themselves erased; what a restore replaces or removes is first in the
vault, encrypted, and in the database for the way back; before the commit every role is tried against the access matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from ledger_assets.access.run import check_access
from ledger_assets.backup import catalogue, merge
from ledger_assets.backup.aside import aside_key, keep
from ledger_assets.backup.catalogue import Snapshot
from ledger_assets.backup.compared import compare
from ledger_assets.backup.manifest import Manifest
from ledger_assets.backup.media import PutBack
from ledger_assets.backup.place import Place
from ledger_assets.backup.sealing import Damaged
from ledger_assets.backup.verify import Restored, restored
from ledger_assets.erasure import applied, register
from ledger_assets.erasure.model import Erasure, together
from ledger_assets.erasure.requests import carried_out
from ledger_assets.errors import SettingsError, TargetError
from ledger_assets.load import schema
from ledger_assets.load.connect import connect

if TYPE_CHECKING:
    import psycopg

SAMPLE = 20
NO_FILES = PutBack(0)
OURS = "migration"
"""A baseline may be taken later too, and then holds people like any other snapshot; one of before us lacks this schema."""


@dataclass(frozen=True)
class Done:
    """A restore that was committed. ``aside``: key of the sealed file with what it replaced or removed; ``undo_id``: None
    of a repair of the schema, which has no way back but the emergency snapshot; ``repaired``: its lines; ``files``: what the
    object store had lost and has again."""

    snapshot_id: str
    undo_id: int | None
    preview: merge.Preview
    aside: str | None
    seconds: float
    repaired: tuple[str, ...] = ()
    files: PutBack = NO_FILES


@dataclass(frozen=True)
class Copy:
    """A snapshot's copy, ready to be merged: ``erased`` are whoever must not come back."""

    connection: psycopg.Connection
    restored: Restored
    erased: merge.Erased


def assert_fits(place: Place, manifest: Manifest, *, database: str, elsewhere: bool) -> None:
    """Raises SettingsError where the snapshot is of another environment or, unless it goes ``elsewhere``, of another
    database."""
    if manifest.environment != place.settings.environment.value:
        raise SettingsError(
            f"snapshot {manifest.id} is of {manifest.environment}, not of {place.settings.environment}: set BACKUP_BUCKET "
            "to where this environment's snapshots lie"
        )
    if manifest.kind == "baseline" and not elsewhere:
        raise SettingsError(
            f"snapshot {manifest.id} is a baseline, of what was there before our schema: restore it into a database of its "
            "own with --into URL"
        )
    if manifest.database != database and manifest.target != place.settings.target_name and not elsewhere:
        raise SettingsError(
            f"snapshot {manifest.id} is of {manifest.target}, not of {place.settings.target_name}: to bring it to another "
            "database, give that database's address with --into URL"
        )


@contextmanager
def copy_of(place: Place, snapshot: Snapshot, live: psycopg.Connection) -> Iterator[Copy]:
    """The snapshot in scratch: equal to its manifest, at this release's schema, without the erased. Raises Damaged,
    TargetError."""
    erasures = erased_of(place, live)
    with restored(place, snapshot.manifest) as done:
        problems = compare(done.contents, done.scratch.admin_url)
        if problems:
            raise Damaged(
                f"snapshot {snapshot.id} does not restore exactly ({problems[0]}): use an earlier one; nothing was changed"
            )
        with connect(done.scratch.url, application_name="ledger:scratch") as scratch:
            last = _last_audited(scratch)
            schema.apply(scratch)
            applied.apply_to(scratch, erasures)
            _forget_audited(scratch, last)
            left = applied.assert_absent(scratch, erasures)
            if left:
                raise TargetError(
                    f"snapshot {snapshot.id} still holds what was erased after the erasure was applied to its copy "
                    f"({', '.join(left[:SAMPLE])}): nothing was restored; this is a fault of ledger_assets, please report it"
                )
            yield Copy(scratch, done, to_merge(erasures))


def _last_audited(scratch: psycopg.Connection) -> int:
    with scratch.transaction():
        known = scratch.execute("select to_regclass('audit.log') is not null").fetchone()
        row = scratch.execute("select max(log_id) from audit.log").fetchone() if known == (True,) else None
    return 0 if row is None or row[0] is None else int(row[0])


def _forget_audited(scratch: psycopg.Connection, last: int) -> None:
    """What was done to the copy never happened to anybody: no restore may bring it into the live history."""
    with scratch.transaction():
        scratch.execute("delete from audit.images where log_id > %s", (last,))
        scratch.execute("delete from audit.log where log_id > %s", (last,))


def erased_of(place: Place, live: psycopg.Connection) -> tuple[Erasure, ...]:
    """Every erasure that is known: the list beside the snapshots, brought up to date, and the database's own."""
    register.publish(live, place.vault, place.identity, place.backup.recipients)
    own = carried_out(live)
    live.rollback()
    expected = catalogue.read(place).erasures
    return together(register.listed(place.vault, place.identity, expected=expected), own)


def preview(place: Place, snapshot: Snapshot, live: psycopg.Connection, mode: merge.Mode) -> merge.Preview:
    """What a restore would change and what newer rows it would remove; changes nothing."""
    with copy_of(place, snapshot, live) as copy:
        return merge.preview(copy.connection, live, mode, erased=copy.erased)


def restore(
    place: Place,
    snapshot: Snapshot,
    live: psycopg.Connection,
    mode: merge.Mode,
    *,
    who: str,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Done:
    """Restore in one transaction. Raises a LedgerError naming what refused it; then nothing was changed."""
    key = aside_key(snapshot.id, clock())
    kept: list[str] = []
    with copy_of(place, snapshot, live) as copy:

        def aside(lines: Iterator[bytes]) -> None:
            if keep(place, key, lines, copy.restored.folder):
                kept.append(key)

        done = merge.apply(
            copy.connection,
            live,
            mode,
            snapshot=snapshot.id,
            who=who,
            erased=copy.erased,
            aside=aside,
            judge=judge,
        )
    return Done(snapshot.id, done.undo_id, done.preview, kept[0] if kept else None, done.seconds)


def judge(connection: psycopg.Connection) -> list[str]:
    """The access matrix, tried inside the transaction: a line for each cell that differs."""
    report = check_access(connection)
    return [] if report.passed else list(report.lines)


def into(place: Place, snapshot: Snapshot, url: str, erasures: tuple[Erasure, ...]) -> int:
    """Restore the whole snapshot into an empty database elsewhere; returns its rows. Raises TargetError where it is not
    empty."""
    from ledger_assets.backup.contents import Contents
    from ledger_assets.backup.manifest import CONTENTS
    from ledger_assets.backup.restored import restore_folder
    from ledger_assets.backup.sealing import unseal_bytes
    from ledger_assets.backup.tools import tools_for
    from ledger_assets.backup.verify import fetch
    from ledger_assets.extract.scratch import scratch_folder

    manifest = snapshot.manifest
    with scratch_folder(place.settings.home) as folder:
        fetch(place, manifest, folder / "dump")
        contents = Contents.from_json(unseal_bytes(place.vault, manifest.objects[CONTENTS], place.identity))
        with connect(url, application_name="ledger:restore", setting="--into") as connection:
            server = connection.info.server_version
        major = int(manifest.tool.split(".")[0])
        tools = tools_for(max(major * 10_000, server), place.backup.programs)
        restore_folder(url, folder / "dump", contents, tools=tools, setting="--into")
        problems = compare(contents, url)
    if problems:
        raise TargetError(
            f"what was restored differs from snapshot {snapshot.id} in {len(problems)} places ({problems[0]}): do not use "
            "it; drop that database and try another snapshot"
        )
    if OURS in manifest.schemas and erasures:
        with connect(url, application_name="ledger:restore", setting="--into") as connection:
            applied.apply_to(connection, erasures)
            left = applied.assert_absent(connection, erasures)
            if left:
                raise TargetError(
                    f"what was erased is still there ({', '.join(left[:SAMPLE])}): do not use that database"
                )
    return contents.rows


def to_merge(erasures: tuple[Erasure, ...]) -> merge.Erased:
    """As a merge asks who must not come back."""
    return merge.Erased(
        records=frozenset(record for one in erasures for record in one.records),
        storytellers=frozenset(
            UUID(one.storyteller_id) for one in erasures if one.storyteller_id is not None
        ),
        stories=frozenset(UUID(one.story_id) for one in erasures if one.story_id is not None),
    )
