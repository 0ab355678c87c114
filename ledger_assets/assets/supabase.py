"""Assets ``<env>/supabase/*`` (one atomic load) and ``<env>/supabase/months`` (the same rows by month).

Thin: the work is ``load``. A load whose verification fails yields its failing checks and no materialisation, so
that the tables turn red and not stale-green; checks that passed in the rolled-back transaction say so.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.keys import group, key
from ledger_assets.checks import relationships as checks
from ledger_assets.environment import Environment, read_settings
from ledger_assets.lane import RAW as RAW_RECORDS
from ledger_assets.partitions import month_partitions
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.postgres import PostgresResource
from ledger_assets.resources.run_lock import RunLock
from ledger_assets.tables.fields import TableSpec

if TYPE_CHECKING:
    from ledger_assets.load.report import LoadReport

MONTHS = "months"


class LoadConfig(dg.Config):
    """What a load asserts before it touches anything."""

    confirm: str = ""
    """Production only: the target database's own name, because the web UI bypasses the command's question."""
    token: int = 0
    """Fencing token of the cut-over's freeze that this load belongs to; 0: of none, and refused while one holds."""


Events = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]


def build_supabase_assets(
    environment: Environment,
    specs: Sequence[TableSpec],
    raw_from: Sequence[dg.AssetKey],
    first_month: date,
    checkpoint: dg.AssetKey,
) -> list[dg.AssetsDefinition]:
    """The load and the months. ``raw_from``: every exported table (and the attachments). ``checkpoint``: in production taken
    before the load; staging has none."""
    keys = {name: key(environment, "supabase", name) for name in (RAW_RECORDS, *(s.name for s in specs))}
    months_key = key(environment, "supabase", MONTHS)
    partitions = month_partitions(first_month)
    before = [checkpoint] if environment is Environment.PRODUCTION else []
    feeds = {
        RAW_RECORDS: [*raw_from, *before],
        **{s.name: [key(environment, "ledger", s.name)] for s in specs},
    }

    def run_load(
        context: dg.AssetExecutionContext,
        config: LoadConfig,
        objects: ObjectStoreResource,
        postgres: PostgresResource,
        months: Sequence[str] | None,
    ) -> "tuple[LoadReport, dict[str, str]]":
        from ledger_assets import lane

        with one_line_failures(environment):
            settings, store, run_id = read_settings(environment), objects.open(), context.run.run_id
            with postgres.connect(run_id) as connection:
                return lane.load_latest(
                    settings, connection, store, specs, run_id=run_id, confirm=config.confirm, months=months,
                    token=config.token or None,
                )  # fmt: skip

    @dg.multi_asset(
        name="load",
        group_name=group(environment, "supabase"),
        can_subset=True,
        specs=[
            dg.AssetSpec(
                k, deps=feeds[name], skippable=True, kinds={"postgres"}, description=_description(name, specs)
            )
            for name, k in keys.items()
        ],
        check_specs=[c for name, k in keys.items() for c in checks.load_specs(k, name)],
    )
    def load(
        context: dg.AssetExecutionContext,
        config: LoadConfig,
        objects: ObjectStoreResource,
        postgres: PostgresResource,
        run_lock: RunLock,
    ) -> Events:
        from ledger_assets import lane

        report, versions = run_load(context, config, objects, postgres, None)
        if report.committed:
            known = set(partitions.get_partition_keys())
            for month, counts in report.months.items():
                if month in known:
                    context.log_event(
                        dg.AssetMaterialization(months_key, partition=month, metadata=dict(counts))
                    )
        if keys[RAW_RECORDS] in context.selected_asset_keys:
            with one_line_failures(environment), postgres.connect(context.run.run_id) as connection:
                yield checks.access_result(keys[RAW_RECORDS], lane.access(connection))
        for name, k in keys.items():
            if k not in context.selected_asset_keys:
                continue
            if report.committed:
                yield dg.MaterializeResult(
                    asset_key=k,
                    metadata=checks.load_metadata(report, name),
                    data_version=dg.DataVersion(versions[name]),
                )
            yield from checks.load_results(k, report, name)

    @dg.multi_asset(
        name="load_months",
        group_name=group(environment, "supabase"),
        specs=[
            dg.AssetSpec(
                months_key,
                deps=[k for feed in feeds.values() for k in feed],
                skippable=True,
                kinds={"postgres"},
                description="The same rows by month of Airtable's createdTime: back-fill months to migrate them again.",
            )
        ],
        check_specs=checks.load_specs(months_key),
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def load_months(
        context: dg.AssetExecutionContext,
        config: LoadConfig,
        objects: ObjectStoreResource,
        postgres: PostgresResource,
        run_lock: RunLock,
    ) -> Events:
        months = list(context.partition_keys)
        report, versions = run_load(context, config, objects, postgres, months)
        if report.committed:
            for name, k in keys.items():
                written = checks.written(report, name)
                version = f"{versions[name]} of {months[0]}..{months[-1]}" if written else versions[name]
                facts = checks.load_metadata(report, name)
                context.log_event(
                    dg.AssetMaterialization(k, metadata=facts, tags={"dagster/data_version": version})
                )
            yield dg.MaterializeResult(asset_key=months_key, metadata=checks.load_metadata(report, None))
        yield from checks.load_results(months_key, report, None)

    return [load, load_months]


def _description(name: str, specs: Sequence[TableSpec]) -> str:
    if name == RAW_RECORDS:
        return (
            "Schema airtable: every record as delivered, its comments, its files' list, the base's metadata."
        )
    return next(spec.description for spec in specs if spec.name == name)
