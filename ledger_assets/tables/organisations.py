"""Organisations: derived from Storytellers.Organisation and from the projects' own, by
``mappings/organisations.toml``.

Roles ("Freelancer") that people wrote where an organisation should stand make no organisation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets.errors import SettingsError
from ledger_assets.tables import columns
from ledger_assets.tables.derived import derive, mentioned
from ledger_assets.tables.fields import TableSpec, Transformed

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "organisations"
KINDS = ("community", "government", "nonprofit", "company", "other")


def model() -> DataFrameSchema:
    """The rows' columns."""
    return columns.model(
        NAME,
        {
            "name": columns.text("canonical name", required=True),
            "kind": columns.choice("what it is", KINDS, required=True),
        },
        unique=("name",),
    )


def transform(source: Source) -> Transformed:
    """One row per organisation that a storyteller or a mentioned project belongs to."""
    entries = {e.name: e.facts for e in source.mapping(NAME).entries}
    needed = {f["organisation"] for f in mentioned(source, "projects").values() if "organisation" in f}
    if needed - set(entries):
        raise SettingsError(
            "LEDGER_MAPPINGS: projects.toml names an organisation that organisations.toml lacks; add it"
        )
    names = {*mentioned(source, NAME), *needed}
    return derive(source, NAME, ({"name": n, **entries[n]} for n in names), ("name", "kind"))


SPEC = TableSpec(
    name=NAME,
    source=None,
    model=model,
    declares=(),
    transform=transform,
    depends=("Storytellers", "Media"),
    description="Organisations, derived from text by the reviewed mapping file organisations.toml.",
    title="name",
)
