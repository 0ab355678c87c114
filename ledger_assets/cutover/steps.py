"""What each step of a cut-over does, on the database of its environment. The order is Dagster's (``assets.cutover``).

What belongs here: the steps. What does not: their lease, their record, what a failure undoes (``night``).

Invariants: every step may be repeated: what is done already is found done, and is not done twice. A cut-over that goes on
after its switch proves nothing again: people may have written since, and what they wrote is no fault of the load.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ledger_assets import backups, connections, events, freeze, lane, switch
from ledger_assets.cutover import state
from ledger_assets.cutover.night import Night, keep_figures, step
from ledger_assets.cutover.state import Cutover
from ledger_assets.errors import CheckFailed, SourceError, TargetError

if TYPE_CHECKING:
    from ledger_assets.access.report import AccessReport
    from ledger_assets.backups import Taken
    from ledger_assets.load.report import LoadReport
    from ledger_assets.proof.model import Proof
    from ledger_assets.tables.fields import TableSpec

SHOWN = 20


def sync(night: Night, fetch: Callable[[], str]) -> str:
    """Bring over what changed; the export. ``fetch`` makes the export, its files and the ledger, and says its id."""
    with step(night, "sync") as doing:
        if doing.phase != "frozen":
            doing.found_done = True
            assert doing.cutover.export_id is not None
            return doing.cutover.export_id
        export_id = fetch()
        doing.facts["export"] = export_id
        with night.database("sync") as connection:
            state.note(connection, doing.cutover.id, export_id=export_id)
    return export_id


def checkpoint(night: Night) -> Taken | None:
    """The way back, taken and proven; None when this cut-over has loaded already. Raises CheckFailed."""
    with step(night, "checkpoint") as doing:
        if doing.phase != "frozen":
            doing.found_done = True
            return None
        taken = backups.take(
            night.settings,
            night.store,
            kind="checkpoint",
            reason="before the load of a cut-over",
            run_id=night.run_id,
            tell=night.tell,
        )
        doing.facts["snapshot"] = taken.snapshot.id
        if taken.problems:
            raise CheckFailed(f"checkpoint {taken.snapshot.id} does not restore exactly: {taken.problems[0]}")
        with night.database("checkpoint") as connection:
            state.note(connection, doing.cutover.id, checkpoint=taken.snapshot.id)
    return taken


def load(night: Night, specs: Sequence[TableSpec], confirm: str) -> tuple[LoadReport, dict[str, str]] | None:
    """The atomic load under the token; None when this cut-over has loaded already. Raises CheckFailed."""
    with step(night, "load") as doing:
        if doing.phase != "frozen":
            doing.found_done = True
            return None
        with night.database("load") as connection:
            report, versions = lane.load_latest(
                night.settings,
                connection,
                night.store,
                specs,
                run_id=night.run_id,
                confirm=confirm,
                months=None,
                token=doing.token,
            )
        doing.facts.update(load=report.load_id, written=report.written)
        if not report.committed:
            failed = [f"{check.table} {check.name}" for check in report.checks if not check.passed]
            raise CheckFailed(f"the load was rolled back, because checks failed: {', '.join(failed[:SHOWN])}")
    return report, versions


def prove(night: Night, specs: Sequence[TableSpec]) -> tuple[Proof, str, str | None] | None:
    """The proof read back from Postgres, its page, the schema's version; None after the switch. Raises CheckFailed."""
    from ledger_assets.load.schema import version
    from ledger_assets.proof.publish import publish_proof
    from ledger_assets.proof.report import count_cells

    with step(night, "proof") as doing:
        if doing.phase == "switched":
            doing.found_done = True
            return None
        with night.database("proof") as connection:
            proof = lane.prove(night.settings, connection, night.store, specs)
            page = publish_proof(night.settings, night.store, connection, proof, run_id=night.run_id)
            schema = version(connection)
        failed = [f"{check.table} {check.name}" for check in proof.checks if not check.passed]
        doing.facts.update(export=proof.export_id, cells=count_cells(proof), failed=failed[:SHOWN])
        if failed:
            raise CheckFailed(f"the proof failed: {', '.join(failed[:SHOWN])}")
    return proof, page, schema


def access(night: Night) -> AccessReport | None:
    """The access matrix, tried as every role; None after the switch. Raises CheckFailed."""
    with step(night, "access") as doing:
        if doing.phase == "switched":
            doing.found_done = True
            return None
        with night.database("access") as connection:
            report = lane.access(connection)
        doing.facts.update(cells=report.cells, differences=len(report.lines))
        if not report.passed:
            raise CheckFailed(f"access is not what the matrix says: {'; '.join(report.lines[:5])}")
    return report


def health(night: Night, ask: Callable[[], Sequence[str]]) -> None:
    """``ask`` answers with what is bad; anything refuses the switch. Raises CheckFailed."""
    with step(night, "health") as doing:
        if doing.phase == "switched":
            doing.found_done = True
            return
        bad = list(ask())
        doing.facts["bad"] = bad
        if bad:
            raise CheckFailed(f"the database is not well: {'; '.join(bad[:5])}")


def switch_over(night: Night) -> tuple[switch.Called, ...]:
    """Look into Airtable once more, then flip.

    Raises CheckFailed when something did. A hook that does not answer undoes nothing: see its ``trouble``.
    """
    with step(night, "switch") as doing:
        if doing.phase == "loaded":
            assert doing.cutover.export_id is not None
            late = _changed_in_airtable(night, doing.cutover.export_id)
            if late:
                raise CheckFailed(
                    f"{len(late)} records were changed in Airtable after the final sync ({', '.join(late[:SHOWN])}): make "
                    "the base read-only, then start again"
                )
            doing.beat.assert_alive()
        hooks = switch.read_hooks()  # before the flip: what cannot be read must not be found out after it
        with night.database("switch") as connection:
            flipped = switch.switch(
                connection, "supabase", token=doing.token, who=doing.cutover.who, run_id=night.run_id
            )
            called = switch.call_hooks(
                connection,
                hooks,
                environment=night.settings.environment,
                who=doing.cutover.who,
                run_id=night.run_id,
            )
        doing.facts.update(generation=flipped.live.generation, hooks=[hook.host for hook in called])
        if unanswered := [hook.host for hook in called if not hook.taken]:
            doing.facts["unanswered"] = unanswered
    return called


def watch(night: Night, look: Callable[[float, Callable[[], bool]], Sequence[str]]) -> None:
    """Health again and again until the minutes are over. ``look(minutes, alive)`` answers with what stayed bad.

    Raises CheckFailed; the cut-over goes back then, since nobody has written yet.
    """
    with step(night, "watch") as doing:
        doing.facts["minutes"] = doing.cutover.watch_minutes
        bad = list(look(doing.cutover.watch_minutes, doing.beat.alive)) if doing.cutover.watch_minutes else []
        doing.facts["bad"] = bad
        if bad:
            raise CheckFailed(f"after the switch the database was not well: {'; '.join(bad[:5])}")


def unfreeze(night: Night) -> Cutover:
    """People write again. The cut-over is done."""
    with step(night, "unfreeze") as doing, night.database("unfreeze") as connection:
        if doing.phase != "switched":
            raise TargetError("the app does not read from here yet: nothing is opened before the switch")
        with connection.transaction(), connection.cursor() as cur:  # whoever is killed leaves both or none
            state.end(connection, doing.cutover.id, "done")
            freeze.thaw_within(cur, doing.token, who=doing.cutover.who)
            events.record(
                connection,
                "cutover",
                "done",
                who=doing.cutover.who,
                run_id=night.run_id,
                detail={"cutover": doing.cutover.id, "checkpoint": doing.cutover.checkpoint},
            )
        doing.over = True
    keep_figures(night)
    return doing.cutover


def _changed_in_airtable(night: Night, export_id: str) -> list[str]:
    """Ids of what people changed in Airtable since an export. Raises SourceError when that cannot be told."""
    from ledger_assets.sync.changes import changes_since

    with connections.airtable_client(night.settings) as client:
        found = changes_since(client, night.store, export_id)
    if found.lost is not None:
        raise SourceError(
            f"whether Airtable was changed after the final sync cannot be told ({found.lost}): start again"
        )
    edits = [sorted(one.changed | one.created | one.destroyed) for one in found.tables.values()]
    return [*found.schema, *(record for ids in edits for record in ids)]
