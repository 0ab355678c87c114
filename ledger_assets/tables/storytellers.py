"""Storytellers: people who told a story. A person is not an account, and two records of one name are two
people until somebody says otherwise: duplicates are proposed, never merged.

Consent cells are kept as evidence, exactly as delivered; no permission follows from them here. How to reach a
person is in ``storyteller_contacts``, their files are in ``media_assets``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ledger_assets.tables import cells, columns, findings
from ledger_assets.tables.fields import (
    Declaration,
    Derived,
    Mapped,
    RawOnly,
    Recompute,
    Rule,
    TableSpec,
    Transformed,
    lookups,
)

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "storytellers"
TABLE = "Storytellers"

DECLARES: tuple[Declaration, ...] = (
    Mapped(TABLE, "Name", "name", Rule.TRIMMED),
    Mapped(TABLE, "Preferred Name", "preferred_name", Rule.TRIMMED),
    Mapped(TABLE, "Project", "project_id", Rule.REFERENCE, references="projects"),
    Mapped(TABLE, "Organisation", "organisation_id", Rule.REFERENCE, references="organisations"),
    Mapped(TABLE, "Location", "location_id", Rule.REFERENCE, references="locations"),
    Mapped(TABLE, "Role", "role"),
    Mapped(TABLE, "Bio", "bio"),
    Mapped(TABLE, "Personal Quote", "personal_quote"),
    Mapped(TABLE, "Empathy Ledger Reflection", "reflection"),
    Mapped(TABLE, "Website themes", "website_themes", Rule.TEXTS),
    Mapped(TABLE, "Tag", "tags", Rule.TEXTS),
    Mapped(TABLE, "RAW Video and photo URL", "raw_media_url"),
    Mapped(TABLE, "Consent Status", "consent_status"),
    Mapped(TABLE, "Preferences", "consent_preferences"),
    Mapped(TABLE, "Preferred Anonymity Level", "anonymity_preference"),
    Mapped(TABLE, "YJ", "sensitive", Rule.CHECKBOX),
    Mapped(TABLE, "Website", "on_website", Rule.CHECKBOX),
    Mapped(TABLE, "Done", "done", Rule.CHECKBOX),
    Mapped(TABLE, "Created At", "recorded_on", Rule.DATE),
    RawOnly(
        TABLE, "Magic Link URL", "a secret: whoever has it opens the storyteller's page without a password"
    ),
    RawOnly(TABLE, "User who added story", "an Airtable account of the staff, not the storyteller"),
    Derived(TABLE, "Unique Storyteller ID", Recompute.RECORD_ID, prefix="ST-"),
    Derived(TABLE, "Created", Recompute.CREATED_TIME),
    Derived(TABLE, "Created 2", Recompute.CREATED_TIME),
    Derived(TABLE, "Media", Recompute.INVERSE, of="Storytellers", of_table="Media"),
    Derived(TABLE, "Stories", Recompute.INVERSE, of="Storytellers", of_table="Stories"),
    Derived(TABLE, "Story Count", Recompute.COUNT, via="Stories"),
    Derived(TABLE, "Location Rollup", Recompute.ROLLUP, via="Media", of="Location", exact=False),
    *lookups(
        TABLE,
        "Media",
        {
            "Transcript (from Media)": "Transcript",
            "Summary (from Media)": "Summary",
            "Type (from Media)": "Type",
            "Project (from Media)": "Project",
            "Location (from Media)": "Location",
            "Created At (from Media)": "Created At",
            "Processed (from Media)": "Processed",
            "Video draft link (from Media)": "Video draft link",
            "Video draft link (from Media) 2": "Video draft link",
            "Video draft link (from Media) 3": "Video draft link",
            "Themes (from Media)": "Themes",
            "Theme Name (from Themes) (from Media)": "Theme Name (from Themes)",
            "Quotes (from Media)": "Quotes",
            "Quote Text (from Quotes) (from Media)": "Quote Text (from Quotes)",
        },
    ),
    *lookups(
        TABLE,
        "Stories",
        {
            "Title (from Stories)": "Title",
            "Story copy (from Stories)": "Story copy",
            "Status (from Stories)": "Status",
            "Permissions (from Stories)": "Permissions",
            "Video Story Link (from Stories)": "Video Story Link",
            "Story Image (from Stories)": "Story Image",
        },
    ),
)


def model() -> DataFrameSchema:
    """The rows' columns."""
    evidence = "evidence exactly as delivered; no permission follows from it here"
    return columns.model(
        NAME,
        {
            "name": columns.text("the person's name", required=True),
            "preferred_name": columns.text("how the person wants to be called"),
            "project_text": columns.text("the cell exactly as delivered"),
            "project_id": columns.reference("projects"),
            "organisation_text": columns.text("the cell exactly as delivered"),
            "organisation_id": columns.reference("organisations"),
            "location_text": columns.text("the cell exactly as delivered"),
            "location_id": columns.reference("locations"),
            "role": columns.text("free text, not unified"),
            "bio": columns.text("in the person's or the staff's words"),
            "personal_quote": columns.text("a sentence the person stands by"),
            "reflection": columns.text("what the person says about taking part"),
            "website_themes": columns.texts("themes shown with the person on the old site"),
            "tags": columns.texts("the staff's tags"),
            "raw_media_url": columns.text("where the unedited recordings are"),
            "consent_status": columns.text(evidence),
            "consent_preferences": columns.text(evidence),
            "anonymity_preference": columns.text(evidence),
            "sensitive": columns.flag("youth justice (YJ); true also when the cell cannot be read"),
            "on_website": columns.flag("was on the old site"),
            "done": columns.flag("the staff's own tick"),
            "recorded_on": columns.date("entered by hand; may be before the record was made"),
        },
    )


def transform(source: Source) -> Transformed:
    """One row per record; groups of one normalised name are proposed as duplicates."""
    unreadable = source.rejected(TABLE).filter(pl.col("field") == "YJ").get_column("record_id").to_list()
    # A flag that closes must not open because its cell is damaged.
    sensitive = pl.col("YJ").fill_null(value=False) | pl.col("airtable_record_id").is_in(unreadable)
    read = cells.read(source, TABLE, DECLARES, required=("name",), extra={"sensitive": sensitive})
    reported = findings.reported([read.reported, _duplicates(read.rows)])
    return Transformed(read.rows, read.quarantined, read.skipped, reported)


def _duplicates(rows: pl.DataFrame) -> pl.DataFrame:
    """One report entry per person of a group whose names differ by case, punctuation and white space at
    most."""
    same = rows.with_columns(plain=cells.plain("name")).filter(
        pl.col("plain").is_duplicated() & (pl.col("plain") != "")
    )
    others = (
        pl.col("airtable_record_id")
        .sort()
        .over("plain", mapping_strategy="join")
        .list.head(20)
        .list.join(", ")
    )
    return findings.tell(
        same, findings.DUPLICATE, "Name", pl.format("the same name, case and punctuation aside: {}", others)
    )


SPEC = TableSpec(
    name=NAME,
    source=TABLE,
    model=model,
    declares=DECLARES,
    transform=transform,
    depends=("Media",),
    description="People who told a story. A person is not an account: nobody here can sign in.",
    title="name",
)
