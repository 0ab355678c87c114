"""Assets ``<env>/airtable/*``: one export keeps the whole base, every table at once, and then its files.

Thin: the work is ``extract``. An export cannot write to Postgres: this module has no way to reach it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.keys import group, key, table_names
from ledger_assets.checks import exports
from ledger_assets.environment import Environment, read_settings
from ledger_assets.resources.airtable import AirtableResource
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.run_lock import RunLock
from ledger_assets.tables.fields import TableSpec

ATTACHMENTS = "attachments"


class ExportConfig(dg.Config):
    """What a person may choose for an export."""

    final: bool = False
    """Read a second, independent list of ids and fail on any difference."""
    sync: bool = False
    """Read only what changed since the newest export; where that cannot be told, the whole base."""


def build_airtable_assets(
    environment: Environment, tables: Mapping[str, str], specs: Sequence[TableSpec]
) -> list[dg.AssetsDefinition]:
    """The export and the attachments. ``tables``: asset name -> Airtable's name, as known now."""
    keys = {name: key(environment, "airtable", name) for name in tables}
    attachments_key = key(environment, "airtable", ATTACHMENTS)

    @dg.multi_asset(
        name="export",
        group_name=group(environment, "airtable"),
        specs=[
            dg.AssetSpec(
                k,
                description=f"Airtable table “{tables[name]}”: its records exactly as delivered.",
                kinds={"airtable", "json"},
            )
            for name, k in keys.items()
        ],
        check_specs=[spec for k in keys.values() for spec in exports.export_specs(k)],
    )
    def export(
        context: dg.AssetExecutionContext,
        config: ExportConfig,
        airtable: AirtableResource,
        objects: ObjectStoreResource,
        run_lock: RunLock,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetMaterialization]:
        from ledger_assets import lane_sync, reports
        from ledger_assets.extract import pinned
        from ledger_assets.extract.export import Export
        from ledger_assets.extract.schema_check import undeclared

        with one_line_failures(environment):
            settings, store = read_settings(environment), objects.open()
            pins = settings.pin_folder
            with airtable.client() as client:
                if config.sync:
                    synced = lane_sync.synced(settings, store, client, final=config.final)
                    export_id = synced.export_id
                    reports.publish(store, context.run.run_id, "sync", asdict(synced))
                else:
                    export_id = lane_sync.exported(settings, store, client, final=config.final)
            exported = Export(store, export_id)
            manifest = exported.manifest
            known = pinned.read(pins)
            drift = undeclared(exported.metadata, specs, known)
            # A drift keeps the old pin: by it a renamed field is still found. Without table modules everything is
            # kept raw, but a table that is gone must not be forgotten by running the export twice.
            if not (drift if specs else [d for d in drift if d.of_a_missing_table]):
                pinned.accept(pins, manifest.base_id, exported.metadata_text)
        seen: set[str] = set()
        names = table_names((table.id, table.name) for table in manifest.tables)
        if known is not None:  # a table that is called otherwise now is the same asset
            names.update(table_names((table.id, table.name) for table in known.tables))
        context.log.info("export %s: %s records", manifest.export_id, sum(t.records for t in manifest.tables))
        for table in manifest.tables:
            name = names[table.id]
            facts = exports.table_metadata(manifest, table)
            if name not in keys:  # new since the definitions were loaded: kept all the same
                context.log_event(dg.AssetMaterialization(key(environment, "airtable", name), metadata=facts))
                continue
            seen.add(name)
            yield dg.MaterializeResult(
                asset_key=keys[name],
                metadata=facts,
                data_version=dg.DataVersion(table.content_sha256),
                check_results=exports.export_results(keys[name], exported, table, drift if specs else []),
            )
        with one_line_failures(environment):
            exports.refuse_missing(set(keys) - seen, tables)
            if specs:
                placed = {table.name for table in manifest.tables if names[table.id] in keys}
                exports.refuse_unplaced([d for d in drift if d.table not in placed])

    @dg.asset(
        key=attachments_key,
        group_name=group(environment, "airtable"),
        deps=list(keys.values()),
        description="The base's files, each once by its SHA-256: own attachment fields only, never lookups.",
        kinds={"airtable", "file"},
        check_specs=[exports.files_spec(attachments_key)],
    )
    def attachments(
        context: dg.AssetExecutionContext,
        airtable: AirtableResource,
        objects: ObjectStoreResource,
        run_lock: RunLock,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses the subscripted form here
        from ledger_assets.extract.attachments import download_attachments
        from ledger_assets.lane import newest_export

        with one_line_failures(environment):
            store = objects.open()
            latest = newest_export(read_settings(environment), store, with_files=False)
            with airtable.client() as client:
                inventory = download_attachments(client, store, latest)
        return dg.MaterializeResult(
            metadata=exports.files_metadata(latest.export_id, inventory),
            check_results=[exports.files_result(attachments_key, inventory)],
        )

    return [export, attachments]
