"""The command of the findings: what could not be mapped, what is in conflict, who may be the same person."""

from __future__ import annotations

import getpass
import json
import re
from dataclasses import asdict

import click

from ledger_assets.cli.session import console, environment_argument, json_option, settings_for
from ledger_assets.cli.tables import table
from ledger_assets.environment import Environment
from ledger_assets.errors import SettingsError


class ListOrResolve(click.Group):
    """``findings ENV`` lists, ``findings resolve ID`` resolves: a first word that is no command is the environment."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Send everything but ``resolve`` and help to the list."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ListOrResolve, subcommand_metavar="ENV | resolve ID --take airtable|postgres|skip")
def findings() -> None:
    """List quarantine, conflicts and proposed duplicates; resolve one, on record.

    \b
    ledger-assets findings staging
    ledger-assets findings resolve staging/3f9c0a7be21d4856 --take airtable
    """


@findings.command("list", hidden=True)
@environment_argument
@click.option("--all", "everything", is_flag=True, help="Also what is resolved or gone.")
@json_option
def list_findings(environment: Environment, everything: bool, as_json: bool) -> None:
    """List the findings of ENV."""
    from ledger_assets.connections import database
    from ledger_assets.load import findings as engine

    settings = settings_for(environment)
    with database(settings, purpose="findings") as connection:
        found = engine.list_findings(connection, open_only=not everything)
    if as_json:
        rows = [{"environment": environment.value, **asdict(finding)} for finding in found]
        console.print_json(json.dumps(rows, default=str))
        return
    if not found:
        console.print(f"no open findings in {settings.target_name}")
        return
    shown = table("id", "kind", "table", "record", "field", "reason", "status")
    for finding in found:
        shown.add_row(
            f"{environment}/{finding.id}",
            finding.kind,
            finding.table_name or "",
            finding.record_id or "",
            finding.field or "",
            finding.reason,
            finding.status,
        )
    console.print(shown)
    console.print(
        f"{len(found)} findings; resolve one: ledger-assets findings resolve ID --take airtable|postgres|skip"
    )


@findings.command()
@click.argument("finding_id", metavar="ID")
@click.option(
    "--take", type=click.Choice(["airtable", "postgres", "skip"]), required=True, help="Which side holds."
)
@click.option("--note", default="", help="Why, for those who come after.")
def resolve(finding_id: str, take: str, note: str) -> None:
    """Resolve finding ID (as listed, such as staging/3f9c0a7be21d4856), on record with your name and the time.

    airtable: the next load writes what Airtable says. postgres: what is in Postgres stays. skip: noted, nothing done.
    """
    from ledger_assets.connections import database
    from ledger_assets.load import findings as engine

    match = re.fullmatch(r"(staging|production)/(\w+)", finding_id)
    if match is None:
        raise SettingsError(
            f"finding {finding_id!r}: write the id as it is listed, such as staging/3f9c0a7be21d4856"
        )
    settings = settings_for(Environment(match[1]))
    with database(settings, purpose="findings") as connection:
        engine.resolve(connection, match[2], take=take, who=getpass.getuser(), note=note)
    console.print(f"finding {finding_id} is resolved: {take}")
