"""Command sync: what changed in Airtable since the last export, through the same assets as a migration."""

from __future__ import annotations

from typing import Any

import click

from ledger_assets.cli import report
from ledger_assets.cli.session import console, environment_argument, instance, run_job, settings_for
from ledger_assets.environment import Environment, Settings


@click.command()
@environment_argument
@click.option("--export-only", is_flag=True, help="Only the export; nothing is loaded.")
@click.option(
    "--final",
    is_flag=True,
    help="Nobody edits any more: scan the whole base's ids and comment counts afterwards, and fail on any difference.",
)
@click.option("--confirm", metavar="NAME", default="", help="Production: the target database's own name.")
def sync(environment: Environment, export_only: bool, final: bool, confirm: str) -> None:
    """Bring over exactly what changed in Airtable since the last export, load it, and prove it.

    Where Airtable cannot tell what changed it says why and exports everything. It stops when tables or fields changed.
    """
    settings = settings_for(environment)
    if not export_only:
        from ledger_assets.lane import assert_can_load

        assert_can_load(settings, confirm)
    ops: dict[str, Any] = {"export": {"config": {"sync": True, "final": final}}}
    if not export_only:
        ops["load"] = {"config": {"confirm": confirm}}

    def tell(run_id: str) -> None:
        print_synced(settings, run_id)
        if not export_only:
            report.print_migration(settings, run_id)

    with instance(settings.home) as dagster_instance:
        job = "export" if export_only else "sync"
        run_job(dagster_instance, environment, job, run_config={"ops": ops}, tell=tell)


def print_synced(settings: Settings, run_id: str) -> None:
    """What a run's sync brought; nothing when it ended before that."""
    from ledger_assets import connections, reports
    from ledger_assets.cli.tables import table

    store = connections.object_store(settings)
    if not reports.exists(store, run_id, "sync"):
        return
    found = reports.read(store, run_id, "sync")
    counts = [found[name] for name in ("changed", "created", "destroyed")]
    if any(counts):
        shown = table("table", ">changed", ">new", ">deleted")
        for name in sorted({name for one in counts for name in one}):
            shown.add_row(name, *(f"{one.get(name, 0):,}" for one in counts))
        console.print(shown)
    if found["fallback"] is not None:
        console.print(f"everything was exported, because {found['fallback']}")
    elif not any(counts):
        console.print("nothing changed since the last export")
    if found["time_fields"] and found["fallback"] is None:
        console.print(
            f"change with time alone, and are as of their last export: {', '.join(found['time_fields'])}"
        )
    console.print(f"{found['export_id']}: {found['calls']} calls")
