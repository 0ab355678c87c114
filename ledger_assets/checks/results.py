"""From the engine's outcomes to Dagster's check results: counts, column names and record ids, never a cell's value."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

SAMPLE = 20
"""Most record ids that one check names."""


def spec(asset: dg.AssetKey, name: str, description: str) -> dg.AssetCheckSpec:
    """A blocking check of ``asset``: when it fails, nothing downstream runs in that run."""
    return dg.AssetCheckSpec(name=name, asset=asset, description=description, blocking=True)


def result(
    asset: dg.AssetKey,
    name: str,
    passed: bool,
    detail: Mapping[str, Any],
    *,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """The result of a check (``severity`` ERROR: of a blocking one) with what it counted."""
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=passed,
        severity=severity,
        metadata={name: shown(value) for name, value in detail.items()},
    )


def shown(value: Any) -> dg.MetadataValue:
    """A count, text or list of ids as metadata; lists are cut at :data:`SAMPLE`."""
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, float):
        return dg.MetadataValue.float(value)
    if isinstance(value, str):
        return dg.MetadataValue.text(value)
    if isinstance(value, list | tuple):
        return dg.MetadataValue.json([v if isinstance(v, dict | int) else str(v) for v in value[:SAMPLE]])
    return dg.MetadataValue.json(value)
