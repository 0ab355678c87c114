"""Consents: what a person's consent cells say, as rows of purposes, by the reviewed file ``consents.toml``.

The cells themselves stay with the storyteller, exactly as delivered. A row says no more than its cell: consent
to commercial use is consent to that and to nothing else, and a text that nobody has reviewed gives nothing (it
is reported). A withdrawal in one cell outweighs what another gives. What people record later in Postgres are
rows of their own, which no load touches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ledger_assets.errors import SettingsError
from ledger_assets.tables import columns, findings
from ledger_assets.tables.fields import SYSTEM_COLUMNS, TableSpec, Transformed

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "consents"
TABLE = "Storytellers"
CELLS = {"consent_status": "Consent Status", "consent_preferences": "Preferences"}
"""The storyteller's columns that hold evidence, and their fields in Airtable."""
PURPOSES = (
    "public_sharing",
    "community_sharing",
    "organisation_sharing",
    "ai_analysis",
    "commercial_use",
    "posthumous",
)
STATES = ("given", "withdrawn")
ALL = "all"
"""In the mapping file, in place of one purpose."""


def model() -> DataFrameSchema:
    """The rows' columns."""
    return columns.model(
        NAME,
        {
            "storyteller_id": columns.reference("storytellers", required=True),
            "purpose": columns.choice("what for; no purpose implies another", PURPOSES, required=True),
            "state": columns.choice("what the cell says", STATES, required=True),
            "evidence_kind": columns.choice("always airtable", ("airtable",), required=True),
            "evidence": columns.text("the fields whose cells say so", required=True),
        },
        unique=("storyteller_id", "purpose"),
    )


def transform(source: Source) -> Transformed:
    """One row per person and purpose that some cell of theirs speaks of."""
    meanings = _meanings(source)
    people = source.transformed("storytellers").rows
    said = (
        people.select(*SYSTEM_COLUMNS, *(pl.col(column).alias(field) for column, field in CELLS.items()))
        .unpivot(index=SYSTEM_COLUMNS, variable_name="field", value_name="text")
        .filter(pl.col("text").is_not_null())
    )
    unknown = said.filter(~pl.col("text").is_in(source.mapping(NAME).known))
    rows = (
        said.join(meanings, on="text", how="inner", maintain_order="left")
        .group_by([*SYSTEM_COLUMNS, "purpose"], maintain_order=True)
        .agg(
            # In the alphabet "withdrawn" comes last: one of them outweighs the rest.
            pl.col("state").max(),
            pl.lit("airtable").first().alias("evidence_kind"),
            pl.col("field").unique(maintain_order=True).str.join(", ").alias("evidence"),
        )
        .rename({"id": "storyteller_id"})
    )
    return Transformed(
        rows=rows.select(
            source.ids(NAME, rows, "airtable_record_id", "purpose").alias("id"),
            *SYSTEM_COLUMNS[1:],
            "storyteller_id",
            "purpose",
            "state",
            "evidence_kind",
            "evidence",
        ),
        quarantined=findings.quarantined(),
        skipped=findings.skipped(),
        reported=findings.tell(
            unknown, findings.UNMAPPED, None, "no reviewed meaning in consents.toml: it gives no consent"
        ).with_columns(unknown.get_column("field")),
    )


def _meanings(source: Source) -> pl.DataFrame:
    """Text, purpose, state of every reviewed text."""
    found = []
    for entry in source.mapping(NAME).entries:
        purpose, state = entry.facts["purpose"], entry.facts["state"]
        if purpose not in (*PURPOSES, ALL) or state not in STATES:
            raise SettingsError(
                f"LEDGER_MAPPINGS: consents.toml: entry {entry.name!r}: purpose is one of "
                f"{', '.join((*PURPOSES, ALL))}, state one of {', '.join(STATES)}"
            )
        if purpose == ALL and state == "given":
            raise SettingsError(
                f"LEDGER_MAPPINGS: consents.toml: entry {entry.name!r} gives every purpose at once; name each"
            )
        purposes = PURPOSES if purpose == ALL else (purpose,)
        found += [(text, one, state) for text in entry.texts for one in purposes]
    schema = {"text": pl.String, "purpose": pl.String, "state": pl.String}
    return pl.DataFrame(found, schema=schema, orient="row")


SPEC = TableSpec(
    name=NAME,
    source=None,
    model=model,
    declares=(),
    transform=transform,
    depends=("Storytellers",),
    description="What people's consent cells say, one row per person and purpose; no purpose implies another.",
)
