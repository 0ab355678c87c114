"""Where an environment's lane is: what has been done, what is next. Reads the store and the database, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets import connections
from ledger_assets.environment import Environment, Profile, Settings
from ledger_assets.moment import utc

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True)
class Step:
    """A step of the lane; ``done`` says when and with what, None when it was not."""

    name: str
    done: str | None


@dataclass(frozen=True)
class State:
    """The lane's steps in order, and the command of the first that is left."""

    steps: tuple[Step, ...]
    next_command: str | None


def state(settings: Settings) -> State:
    """Look at the environment's store and database."""
    from ledger_assets.extract.export import list_exports
    from ledger_assets.ledger.store import list_ledgers
    from ledger_assets.load import findings, schema
    from ledger_assets.load.history import last_load, last_proof

    env = settings.environment.value
    store = connections.object_store(settings)
    exports = list_exports(store)
    ledgers = list_ledgers(store)
    with connections.database(settings, purpose="status") as connection:
        pending = schema.pending(connection)
        load = None if pending else last_load(connection)
        proof = None if pending else last_proof(connection)
        open_findings = [] if pending else findings.list_findings(connection)
        night = None if pending else _night(connection)
    steps = (
        Step("export", exports[-1] if exports else None),
        *(
            [Step("ledger", ledgers[-1] if ledgers else None)]
            if settings.profile is not Profile.ANY_BASE
            else []
        ),
        Step("schema", None if pending else "up to date"),
        Step("load", f"{utc(load.committed_at)} from {load.export_id}" if load else None),
        Step("proof", f"{utc(proof.made_at)}, {_word(proof.passed)}" if proof else None),
        Step("snapshot", _newest_snapshot(settings)),
        Step("findings", f"{len(open_findings)} open" if open_findings else "none open"),
        Step("cut-over", night[0] if night else None),
    )
    confirm = f" --confirm {settings.target_name}" if settings.environment is Environment.PRODUCTION else ""
    if night is not None and night[1]:
        command = f"ledger-assets cutover {env}"
        return State(
            steps, f"{command} --base-is-read-only{confirm} ({night[1]}), or {command} --back{confirm}"
        )
    return State(
        steps,
        _next(
            env,
            confirm,
            bool(exports),
            pending,
            load is not None,
            proof is not None and proof.passed,
            len(open_findings),
        ),
    )


def _night(connection: psycopg.Connection) -> tuple[str, str] | None:
    """How the newest cut-over stands, and what the same command would do with it; empty: nothing."""
    from ledger_assets import switch
    from ledger_assets.cutover import state as cutovers

    found = cutovers.latest(connection)
    if found is None:
        return None
    live = switch.live(connection).source
    phase = cutovers.phase(connection, found)
    told = f"{utc(found.began_at)}, {phase}; the app reads from {live}"
    again = {"returning": "finishes going back", "forced": "refused"}.get(phase, "goes on")
    return told, again if phase in ("frozen", "loaded", "forced", "switched", "returning") else ""


def _newest_snapshot(settings: Settings) -> str | None:
    """The newest verified one; why there is none to see, where the snapshots cannot be read."""
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place
    from ledger_assets.errors import LedgerError

    try:
        newest = catalogue.read(open_place(settings)).newest_verified()
    except LedgerError as error:
        return f"not to be seen: {error}"
    return None if newest is None else f"{utc(newest.manifest.at)}, {newest.id}, verified"


def _word(passed: bool) -> str:
    return "passed" if passed else "FAILED"


def _next(
    env: str, confirm: str, exported: bool, pending: list[str], loaded: bool, proven: bool, open_findings: int
) -> str | None:
    if not exported:
        return f"ledger-assets export {env}"
    if pending:
        return f"ledger-assets schema apply {env}"
    if not loaded:
        return f"ledger-assets migrate {env} --dry-run, then ledger-assets migrate {env}{confirm}"
    if not proven:
        return f"ledger-assets verify {env}"
    return f"ledger-assets findings {env}" if open_findings else None
