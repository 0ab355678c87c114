"""Resource: the lock that says that a run's process lives.

Dagster leaves the run of a killed process STARTED for ever. Every run's process therefore holds a session advisory
lock, keyed by the run's id, in Dagster's own database; Postgres frees it when the process dies (measured: 11 ms
after SIGKILL). ``runs.report_lost_runs`` reads the locks.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import psycopg

STORAGE_VARIABLE = "DAGSTER_POSTGRES_URL"
LOCK_SPACE = 0x6C656467
"""First key of the two-key advisory locks ('ledg'); the second is of the run id."""


def lock_key(run_id: str) -> int:
    """Second key of a run's lock: the first 32 bits of its id, signed as Postgres wants it."""
    return int.from_bytes(bytes.fromhex(run_id.replace("-", "")[:8]), "big", signed=True)


def storage_url() -> str | None:
    """Dagster's own database for psycopg, or None when its storage is not Postgres."""
    url = os.environ.get(STORAGE_VARIABLE)
    return url.replace("postgresql+psycopg2://", "postgresql://", 1) if url else None


@contextmanager
def hold_run_lock(run_id: str) -> Iterator[None]:
    """Hold the run's lock; shared, since a command takes it before the run's own resource does."""
    url = storage_url()
    if url is None:
        yield
        return
    with psycopg.connect(url, autocommit=True, application_name=f"ledger:run:{run_id[:8]}") as connection:
        connection.execute("select pg_advisory_lock_shared(%s, %s)", (LOCK_SPACE, lock_key(run_id)))
        yield


class RunLock(dg.ConfigurableResource["RunLock"]):
    """Held from a run's first step to its end, by its own process."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["RunLock"]:
        """Hold the lock while the run's resources live (in process: the whole run)."""
        if context.run is None:
            yield self
            return
        with hold_run_lock(context.run.run_id):
            yield self
