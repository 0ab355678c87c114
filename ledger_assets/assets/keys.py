"""The asset keys: environment, stage, table. The same thing has one name in the graph, the commands and the docs."""

import re
from collections.abc import Iterable

import dagster as dg

from ledger_assets.environment import Environment


def key(environment: Environment, stage: str, name: str) -> dg.AssetKey:
    """``<environment>/<stage>/<name>``."""
    return dg.AssetKey([environment.value, stage, name])


def group(environment: Environment, stage: str) -> str:
    """The group in the web UI: of two groups of one name its picture of all assets draws one over the other."""
    return f"{environment}_{stage}"


def table_names(tables: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Asset names by table id for (table id, Airtable name) pairs.

    Lower case, digits and underscores; names that fall together, or leave nothing, get the table id added.
    """
    slugs = {table_id: re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for table_id, name in tables}
    values = list(slugs.values())
    return {
        table_id: slug
        if slug and slug != "attachments" and values.count(slug) == 1
        else f"{slug}_{table_id}".lstrip("_")
        for table_id, slug in slugs.items()
    }
