"""The one assembly of an environment's definitions, used by the code locations, the commands and the tests.

Importing or building definitions opens no socket and reads no secret: which assets exist follows from the profile
and from the pinned metadata file ``base.json`` alone.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ledger_assets.assets.airtable import ATTACHMENTS, build_airtable_assets
from ledger_assets.assets.announcements import build_announcement_jobs
from ledger_assets.assets.cutover import build_cutover_job
from ledger_assets.assets.cutover_back import build_back_job
from ledger_assets.assets.keys import key, table_names
from ledger_assets.assets.ledger import build_ledger_asset
from ledger_assets.assets.live import build_live_specs
from ledger_assets.assets.operations import build_op_jobs
from ledger_assets.assets.proof import build_proof_assets
from ledger_assets.assets.recovery import build_recovery_jobs
from ledger_assets.assets.snapshots import CHECKPOINT, STAGE, build_snapshot_assets
from ledger_assets.assets.supabase import build_supabase_assets
from ledger_assets.environment import Environment, Profile, Shape, read_shape
from ledger_assets.jobs import build_jobs
from ledger_assets.resources.airtable import AirtableResource
from ledger_assets.resources.notifier import Notifier
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.postgres import PostgresResource
from ledger_assets.resources.run_lock import RunLock
from ledger_assets.schedules import build_schedules
from ledger_assets.sensors import build_sensors
from ledger_assets.tables.fields import TableSpec


def build_definitions(
    environment: Environment, *, resources: Mapping[str, Any] | None = None, shape: Shape | None = None
) -> dg.Definitions:
    """Everything of one environment. ``resources`` replace those of the same name."""
    shape = shape or read_shape()
    specs = table_specs(shape.profile)
    tables = airtable_tables(shape, specs)
    airtable_keys = {title: key(environment, "airtable", name) for name, title in tables.items()}
    exported = [*airtable_keys.values(), key(environment, "airtable", ATTACHMENTS)]
    shaped = [key(environment, "ledger", spec.name) for spec in specs]
    checkpoint = key(environment, STAGE, CHECKPOINT)
    supabase = build_supabase_assets(environment, specs, exported, shape.first_month, checkpoint)
    loaded = list(supabase[0].keys)
    return dg.Definitions(
        assets=[
            *build_airtable_assets(environment, tables, specs),
            *([build_ledger_asset(environment, specs, airtable_keys)] if specs else []),
            *supabase,
            *build_proof_assets(environment, specs, shaped or exported, loaded),
            *build_snapshot_assets(environment, loaded, shaped or exported),
            *build_live_specs(environment),
        ],
        jobs=[
            *build_jobs(environment),
            *build_op_jobs(environment),
            *build_recovery_jobs(environment),
            *build_announcement_jobs(environment),
            build_cutover_job(environment, specs),
            build_back_job(environment),
        ],
        schedules=build_schedules(environment),
        sensors=build_sensors(environment),
        resources={
            "airtable": AirtableResource(environment=environment.value),
            "objects": ObjectStoreResource(environment=environment.value),
            "postgres": PostgresResource(environment=environment.value),
            "notifier": Notifier(environment=environment.value),
            "run_lock": RunLock(),
            **(resources or {}),
        },
        # Steps are short and parallel inside; back-fills ignore a job's own executor (they run as __ASSET_JOB).
        executor=dg.in_process_executor,
    )


def table_specs(profile: Profile) -> tuple[TableSpec, ...]:
    """The profile's table modules; none for any base."""
    if profile is Profile.ANY_BASE:
        return ()
    from ledger_assets.tables import SPECS

    return SPECS


def airtable_tables(shape: Shape, specs: tuple[TableSpec, ...]) -> dict[str, str]:
    """Asset name -> Airtable's name of each table: from the pinned metadata, else what the table modules name."""
    from ledger_assets.extract import pinned

    metadata = pinned.read(shape.pin_folder)
    if metadata is not None:
        names = table_names((table.id, table.name) for table in metadata.tables)
        return {names[table.id]: table.name for table in metadata.tables}
    declared = dict.fromkeys(declaration.table for spec in specs for declaration in spec.declares)
    names = table_names((title, title) for title in declared)
    return {names[title]: title for title in declared}
