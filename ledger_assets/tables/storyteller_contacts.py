"""How to reach a storyteller, apart from the person: reading one must not grant the other.

One row per storyteller who has an e-mail address or a phone number. No account is made of an address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ledger_assets.tables import cells, columns, findings
from ledger_assets.tables.fields import SYSTEM_COLUMNS, Declaration, Mapped, TableSpec, Transformed

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "storyteller_contacts"
TABLE = "Storytellers"

DECLARES: tuple[Declaration, ...] = (
    Mapped(TABLE, "Secure Contact Email", "email"),
    Mapped(TABLE, "Phone Number", "phone"),
)


def model() -> DataFrameSchema:
    """The rows' columns."""
    return columns.model(
        NAME,
        {
            "storyteller_id": columns.reference("storytellers", required=True),
            "email": columns.text("exactly as delivered"),
            "phone": columns.text("exactly as delivered"),
        },
        unique=("storyteller_id",),
    )


def transform(source: Source) -> Transformed:
    """One row per storyteller with a contact."""
    read = cells.read(source, TABLE, DECLARES, extra={"storyteller_id": pl.col("id")})
    people = source.transformed("storytellers").rows.select("airtable_record_id")
    rows = read.rows.filter(pl.col("email").is_not_null() | pl.col("phone").is_not_null()).join(
        people, on="airtable_record_id", how="semi", maintain_order="left"
    )
    return Transformed(
        rows=rows.select(
            source.ids(NAME, rows, "airtable_record_id").alias("id"),
            *SYSTEM_COLUMNS[1:],
            "storyteller_id",
            "email",
            "phone",
        ),
        quarantined=read.quarantined.filter(pl.col("field").is_not_null()).join(
            people, left_on="record_id", right_on="airtable_record_id", how="semi", maintain_order="left"
        ),
        skipped=findings.skipped(),
        reported=findings.reported(),
    )


SPEC = TableSpec(
    name=NAME,
    source=None,
    model=model,
    declares=DECLARES,
    transform=transform,
    depends=("Storytellers",),
    description="How to reach a storyteller: apart, so that one may be read without the other.",
)
