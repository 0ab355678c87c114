"""``<env>/operations/*``: what is seen in the web UI and never executed by it: the freeze, the switch, health, recoveries.

External assets and not materialisable ones: "Materialize all" must never freeze, switch or restore anything. What changes
them (the commands, the op jobs) logs these events.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from ledger_assets.assets.keys import group, key
from ledger_assets.environment import Environment

if TYPE_CHECKING:
    from ledger_assets.freeze.state import Frozen
    from ledger_assets.switch.flip import Live

STAGE = "operations"
FREEZE, LIVE = "write_freeze", "live"


DESCRIPTIONS = {
    FREEZE: "Whether writing is frozen, why, by whom and until when.",
    LIVE: "Which source is live for the app: airtable or supabase.",
    "health": "Is everything well? The last look at each measure; its plots show the trend.",
    "rehearsal": "A recovery tried in scratch: how long it takes, and whether everything came back.",
    "restore": "What was brought back from a snapshot, and how to undo it.",
}


def build_live_specs(environment: Environment) -> list[dg.AssetSpec]:
    """All of them."""
    return [
        dg.AssetSpec(
            key(environment, STAGE, name),
            group_name=group(environment, STAGE),
            kinds={"postgres"},
            description=description,
        )
        for name, description in DESCRIPTIONS.items()
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
