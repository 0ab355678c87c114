"""Assets ``<env>/ledger/*``: the export shaped into the target schema's tables. Thin: the work is ``ledger``."""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.keys import group, key
from ledger_assets.checks import ledger as checks
from ledger_assets.environment import Environment, read_settings
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.run_lock import RunLock
from ledger_assets.tables.fields import TableSpec


def build_ledger_asset(
    environment: Environment, specs: Sequence[TableSpec], exported: Mapping[str, dg.AssetKey]
) -> dg.AssetsDefinition:
    """All ledger tables in one step. ``exported``: Airtable's table name -> its asset's key."""
    keys = {spec.name: key(environment, "ledger", spec.name) for spec in specs}

    @dg.multi_asset(
        name="ledger",
        group_name=group(environment, "ledger"),
        can_subset=True,
        specs=[
            dg.AssetSpec(
                keys[spec.name],
                deps=[exported[name] for name in _reads(spec) if name in exported]
                + ([key(environment, "airtable", "attachments")] if spec.name == "media_assets" else []),
                description=spec.description,
                kinds={"polars"},
            )
            for spec in specs
        ],
        check_specs=[c for spec in specs for c in checks.ledger_specs(keys[spec.name], spec)],
    )
    def ledger(
        context: dg.AssetExecutionContext, objects: ObjectStoreResource, run_lock: RunLock
    ) -> Iterator[dg.MaterializeResult[None]]:
        from ledger_assets.extract import pinned
        from ledger_assets.extract.attachments import read_inventory
        from ledger_assets.lane import newest_export
        from ledger_assets.ledger.build import build_ledger

        with one_line_failures(environment):
            settings = read_settings(environment)
            store = objects.open()
            export = newest_export(settings, store)
            built = build_ledger(
                store,
                export,
                specs=specs,
                mappings=settings.mappings,
                inventory=read_inventory(store, export.export_id),
                pinned=pinned.read(settings.pin_folder),
            )
        context.log.info("ledger %s from export %s", built.ledger_id, export.export_id)
        for spec in specs:
            if keys[spec.name] not in context.selected_asset_keys:
                continue
            yield dg.MaterializeResult(
                asset_key=keys[spec.name],
                metadata=checks.table_metadata(built, spec),
                check_results=checks.ledger_results(keys[spec.name], built, spec),
            )

    return ledger


def _reads(spec: TableSpec) -> tuple[str, ...]:
    """Airtable tables that ``spec`` reads, each once."""
    return tuple(dict.fromkeys([*([spec.source] if spec.source else []), *spec.depends]))
