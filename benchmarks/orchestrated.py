"""A full run by the real job, in a process of its own, with a clock round every function of the engine it calls.

Prints one JSON object: seconds of the run, seconds inside the engine, the number of events.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable
from typing import Any

from ledger_assets import connections, runs
from ledger_assets.cli.session import instance
from ledger_assets.environment import Environment, read_settings
from ledger_assets.load import schema

ENGINE = (
    "ledger_assets.extract.run.export_base",
    "ledger_assets.extract.attachments.download_attachments",
    "ledger_assets.extract.schema_check.undeclared",
    "ledger_assets.ledger.build.build_ledger",
    "ledger_assets.lane.load_latest",
    "ledger_assets.lane.access",
    "ledger_assets.lane.prove",
)


def main() -> None:
    """Apply the schema, run the job, print."""
    settings = read_settings(Environment.STAGING)
    with connections.database(settings, purpose="bench") as connection:
        schema.apply(connection)
    inside: dict[str, float] = {}
    for name in ENGINE:
        _clock(name, inside)
    with instance(settings.home) as dagster:
        started = time.monotonic()
        run = runs.run_job(dagster, Environment.STAGING, "migrate")
        whole = time.monotonic() - started
        events = len(dagster.all_logs(run.run_id))
        if not run.is_success:
            raise RuntimeError(f"the run failed: {runs.failures(dagster, run.run_id)}")
    if len(inside) != len(ENGINE):
        raise RuntimeError(f"the run did not call {sorted(set(ENGINE) - set(inside))}")
    print(json.dumps({"run": whole, "engine": sum(inside.values()), "events": events, "inside": inside}))


def _clock(name: str, inside: dict[str, float]) -> None:
    """Put a clock round the function; the assets import it when they run, so they get this one."""
    module_name, _, attribute = name.rpartition(".")
    module = importlib.import_module(module_name)
    original: Callable[..., Any] = getattr(module, attribute)

    def clocked(*args: Any, **kwargs: Any) -> Any:
        started = time.monotonic()
        try:
            return original(*args, **kwargs)
        finally:
            inside[name] = inside.get(name, 0.0) + time.monotonic() - started

    setattr(module, attribute, clocked)


if __name__ == "__main__":
    main()
