"""Commands of the target schema: apply it, verify it. No runs: they move no data."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from ledger_assets.cli.session import console, environment_argument, json_option, settings_for
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed


@click.group()
def schema() -> None:
    """The target schema: apply it, and see whether it still is what the migrations make."""


@schema.command("apply")
@environment_argument
def apply_schema(environment: Environment) -> None:
    """Apply supabase/migrations to the environment's database; what is applied already is skipped."""
    from ledger_assets.connections import database
    from ledger_assets.load.schema import apply

    settings = settings_for(environment)
    with database(settings, purpose="schema") as connection:
        applied = apply(connection)
    for name in applied:
        console.print(f"applied {name}")
    console.print(f"schema of {settings.target_name} is up to date ({len(applied)} applied now)")


@schema.command("verify")
@environment_argument
@json_option
def verify_schema(environment: Environment, as_json: bool) -> None:
    """Compare the database's tables, policies, functions, grants and roles with what the migrations make.

    Writes nothing to the database; the migrations are applied to a scratch database beside it, which is dropped
    again. Names every difference; exit 1 when there is one.
    """
    from ledger_assets.connections import database
    from ledger_assets.lane import scratch_database
    from ledger_assets.schema.verify import verify

    settings = settings_for(environment)
    with database(settings, purpose="schema") as connection:
        found = verify(connection, scratch_database)
    if as_json:
        console.print_json(json.dumps(asdict(found)))
    else:
        for difference in found.differences:
            console.print(difference.line)
    if found.differences:
        raise CheckFailed(
            f"the schema of {settings.target_name} differs in {len(found.differences)} places from {found.against}: "
            "look at each; what is missing comes back with a new migration, what is extra goes with one"
        )
    if not as_json:
        console.print(
            f"schema of {settings.target_name} is what the migrations make: {found.objects} objects, "
            f"compared with {found.against}"
        )
