"""Files: one row per use of an attachment in an own attachment field, never in a lookup.

The bytes are in the object store by SHA-256, as the attachments step found them; a use without a hash is kept
and reported. Consent forms and signatures are identity documents: their rows are as closed as every other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ledger_assets.tables import columns, findings
from ledger_assets.tables.fields import SYSTEM_COLUMNS, Mapped, Rule, TableSpec, Transformed

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "media_assets"


def _files(table: str, field: str, role: str, owner: str) -> Mapped:
    return Mapped(table, field, "attachment_id", Rule.FILES, options={"role": role}, references=owner)


DECLARES = (
    _files("Storytellers", "File Profile Image", "profile_image", "storytellers"),
    _files("Storytellers", "Consent Form Photo", "consent_form", "storytellers"),
    _files("Storytellers", "Signature", "signature", "storytellers"),
    _files("Stories", "Story Image", "story_image", "stories"),
)
OWNERS = {"storytellers": "storyteller_id", "stories": "story_id"}


def model() -> DataFrameSchema:
    """The rows' columns."""
    return columns.model(
        NAME,
        {
            "role": columns.choice("what the file is", [d.options["role"] for d in DECLARES], required=True),
            "storyteller_id": columns.reference("storytellers"),
            "story_id": columns.reference("stories"),
            "position": columns.integer("place in the cell, from 1", minimum=1, required=True),
            "attachment_id": columns.text("Airtable's attachment id", required=True),
            "file_name": columns.text("as delivered; may hold anything, never a path"),
            "content_type": columns.text("as Airtable says"),
            "size_bytes": columns.integer("as Airtable says", minimum=0),
            "sha256": columns.text("of the bytes, hex; NULL: not to be had", pattern="^[0-9a-f]{64}$"),
            "object_key": columns.text("where the bytes are in the object store"),
        },
    )


def transform(source: Source) -> Transformed:
    """One row per attachment of each declared field."""
    parts = [_read(source, declared) for declared in DECLARES]
    rows = pl.concat([part.rows for part in parts])
    without = rows.filter(pl.col("sha256").is_null())
    return Transformed(
        rows=rows.drop("field"),
        quarantined=findings.quarantined(part.quarantined for part in parts),
        skipped=findings.skipped(),
        reported=findings.tell(
            without,
            findings.MISSING_FILE,
            None,
            pl.format("the bytes of {} could not be had", "attachment_id"),
        ).with_columns(without.get_column("field")),
    )


def _read(source: Source, declared: Mapped) -> Transformed:
    """The rows of one field, with its name in ``field``."""
    owner = declared.references
    assert owner is not None
    owners = source.transformed(owner).rows.select("airtable_record_id")
    uses = (
        source.records(declared.table)
        .select(*SYSTEM_COLUMNS, file=pl.col(declared.field))
        .filter(pl.col("file").is_not_null())
        .join(owners, on="airtable_record_id", how="semi", maintain_order="left")
        .with_columns(position=pl.int_ranges(1, pl.col("file").list.len() + 1, dtype=pl.Int64))
        .explode("file", "position")
        .unnest("file")
        .with_columns(
            field_id=pl.lit(source.field_id(declared.table, declared.field)), field=pl.lit(declared.field)
        )
        .with_columns(repeated=pl.struct("airtable_record_id", "attachment_id").is_first_distinct().not_())
        .join(
            source.inventory,
            on=["airtable_record_id", "field_id", "attachment_id"],
            how="left",
            maintain_order="left",
        )
    )
    kept = uses.filter(~pl.col("repeated"))
    twice = pl.format("attachment {} stands there more than once", "attachment_id")
    return Transformed(
        rows=kept.select(
            source.ids(NAME, kept, "airtable_record_id", "field_id", "attachment_id").alias("id"),
            *SYSTEM_COLUMNS[1:],
            pl.lit(declared.options["role"]).alias("role"),
            *(
                (pl.col("id") if name == owner else pl.lit(None, dtype=pl.String)).alias(column)
                for name, column in OWNERS.items()
            ),
            "position",
            "attachment_id",
            "file_name",
            "content_type",
            "size_bytes",
            "sha256",
            "object_key",
            "field",
        ),
        quarantined=findings.quarantined(
            [
                source.rejected(declared.table)
                .filter(pl.col("field") == declared.field)
                .join(
                    owners,
                    left_on="record_id",
                    right_on="airtable_record_id",
                    how="semi",
                    maintain_order="left",
                ),
                uses.filter("repeated").pipe(findings.refuse, declared.field, twice),
            ]
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
    depends=("Storytellers", "Stories"),
    description="Files, one row per use of an attachment; the bytes are in the object store by SHA-256.",
)
