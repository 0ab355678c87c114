"""Projects: derived from the Project fields of Storytellers and Media, by ``mappings/projects.toml``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets.ids import row_id
from ledger_assets.tables import columns
from ledger_assets.tables.derived import derive, mentioned
from ledger_assets.tables.fields import TableSpec, Transformed

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "projects"


def model() -> DataFrameSchema:
    """The rows' columns."""
    return columns.model(
        NAME,
        {
            "name": columns.text("canonical name", required=True),
            "organisation_id": columns.reference("organisations"),
        },
        unique=("name",),
    )


def transform(source: Source) -> Transformed:
    """One row per project that a storyteller or an interview belongs to."""
    rows = (
        {
            "name": name,
            "organisation_id": row_id(source.base_id, "organisations", facts["organisation"])
            if "organisation" in facts
            else None,
        }
        for name, facts in mentioned(source, NAME).items()
    )
    return derive(source, NAME, rows, ("name", "organisation_id"))


SPEC = TableSpec(
    name=NAME,
    source=None,
    model=model,
    declares=(),
    transform=transform,
    depends=("Storytellers", "Media"),
    description="Projects, derived from text by the reviewed mapping file projects.toml.",
    title="name",
)
