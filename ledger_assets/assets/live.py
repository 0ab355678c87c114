"""``<env>/operations/write_freeze`` and ``<env>/operations/live``: seen in the web UI, never executed by it.

External assets and not materialisable ones: "Materialize all" must never freeze or switch anything. What changes them (the
commands, the cut-over) logs these events.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from ledger_assets.assets.keys import key
from ledger_assets.environment import Environment

if TYPE_CHECKING:
    from ledger_assets.freeze.state import Frozen
    from ledger_assets.switch.flip import Live

STAGE = "operations"
FREEZE, LIVE = "write_freeze", "live"


def build_live_specs(environment: Environment) -> list[dg.AssetSpec]:
    """Both."""
    return [
        dg.AssetSpec(
            key(environment, STAGE, FREEZE),
            group_name=STAGE,
            kinds={"postgres"},
            description="Whether writing is frozen, why, by whom and until when.",
        ),
        dg.AssetSpec(
            key(environment, STAGE, LIVE),
            group_name=STAGE,
            kinds={"postgres"},
            description="Which source is live for the app: airtable or supabase.",
        ),
    ]


def freeze_event(environment: Environment, found: "Frozen") -> dg.AssetMaterialization:
    """The freeze as it is now."""
    told = {
        "state": found.kind,
        "reason": found.reason,
        "who": found.who,
        "since": found.since,
        "until": found.until,
        "lease_until": found.lease_until,
        "cutover": found.cutover,
        "token": found.token,
    }
    wanted = told if found.frozen else {"state": found.kind, "token": found.token}
    return dg.AssetMaterialization(key(environment, STAGE, FREEZE), metadata=_told(wanted))


def live_event(environment: Environment, found: "Live") -> dg.AssetMaterialization:
    """What is live now."""
    told = {
        "source": found.source,
        "generation": found.generation,
        "switched_at": found.switched_at,
        "who": found.who,
        "run": found.run_id,
    }
    return dg.AssetMaterialization(
        key(environment, STAGE, LIVE),
        metadata=_told(told),
        tags={"dagster/data_version": f"{found.generation}-{found.source}"},
    )


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, int | str) else value.isoformat()
        for name, value in values.items()
        if value is not None
    }
