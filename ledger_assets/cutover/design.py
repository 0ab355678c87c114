"""Whether the final sync would take the base as it is now: its tables and fields, before anything is frozen.

What belongs here: that gate. What does not: what a design is (``extract.schema_check``, ``sync.depends``); a design that
changes after this gate stops the sync itself.

Invariants: one call, of the metadata; no record is read; what the sync takes is not refused: another option of a select,
and where there is no export yet whatever is declared.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger_assets.environment import Profile, Settings
from ledger_assets.errors import StoreError, TargetError


def assert_design(settings: Settings) -> None:
    """Raises TargetError for the first table or field that is not the declared one, or not the last export's."""
    from ledger_assets import connections
    from ledger_assets.extract import pinned
    from ledger_assets.extract.export import latest_export
    from ledger_assets.extract.metadata import parse_metadata
    from ledger_assets.extract.schema_check import DriftKind, undeclared
    from ledger_assets.sync.depends import design_changes
    from ledger_assets.tables import SPECS

    base_id, environment = settings.airtable.base_id, settings.environment.value
    with connections.airtable_client(settings) as client:
        design = parse_metadata(base_id, client.metadata())
    specs = () if settings.profile is Profile.ANY_BASE else SPECS
    drift = [
        one
        for one in undeclared(design, specs, pinned.read(settings.pin_folder))
        if one.kind is not DriftKind.RENAMED
    ]
    if drift:
        raise _refused(environment, [one.detail for one in drift], drift[0].remedy(environment))
    try:
        known = latest_export(connections.object_store(settings), base_id).metadata
    except StoreError:
        return
    if changed := design_changes(known, design):
        raise _refused(
            environment,
            [f"{one} since the last export" for one in changed],
            "look at what that means for the tables",
        )


def _refused(environment: str, found: Sequence[str], remedy: str) -> TargetError:
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return TargetError(
        f"cut-over refused: {found[0]}{more}: {remedy}, then: ledger-assets export {environment}"
    )
