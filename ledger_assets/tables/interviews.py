"""Interviews: the records of the table Media, which are recordings and their transcripts, not files.

Who speaks is in ``interview_storytellers``, what was found in them in ``interview_themes`` and ``quotes``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets.tables import cells, columns
from ledger_assets.tables.fields import (
    Declaration,
    Derived,
    Mapped,
    Recompute,
    Rule,
    TableSpec,
    Transformed,
    lookups,
)

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "interviews"
TABLE = "Media"

KINDS = {"Interview": "interview", "Photo": "photo", "Video": "video"}

DECLARES: tuple[Declaration, ...] = (
    Mapped(TABLE, "File Name", "file_name"),
    Mapped(TABLE, "Type", "kind", Rule.OPTION, options=KINDS),
    Mapped(TABLE, "Transcript", "transcript"),
    Mapped(TABLE, "Summary", "summary"),
    Mapped(TABLE, "Location", "location_id", Rule.REFERENCE, references="locations"),
    Mapped(TABLE, "Project", "project_id", Rule.REFERENCE, references="projects"),
    Mapped(TABLE, "Created At", "recorded_on", Rule.DATE),
    Mapped(TABLE, "Video draft link", "video_draft_url"),
    Mapped(TABLE, "Processed", "is_processed", Rule.CHECKBOX),
    Derived(TABLE, "Stories", Recompute.INVERSE, of="Media", of_table="Stories"),
    Derived(TABLE, "Quotes", Recompute.INVERSE, of="Transcript Reference", of_table="Quotes"),
    Derived(TABLE, "Theme Count", Recompute.COUNT, via="Themes"),
    *lookups(
        TABLE,
        "Storytellers",
        {
            "Storytellers Name": "Name",
            "Organisation (from Storytellers)": "Organisation",
            "YJ (from Storytellers)": "YJ",
            "File Profile Image (from Storytellers)": "File Profile Image",
        },
    ),
    *lookups(TABLE, "Themes", {"Theme Name (from Themes)": "Theme Name"}),
    *lookups(TABLE, "Quotes", {"Quote Text (from Quotes)": "Quote Text"}),
    *lookups(TABLE, "Stories", {"Title (from Stories)": "Title"}),
)


def model() -> DataFrameSchema:
    """The rows' columns."""
    return columns.model(
        NAME,
        {
            "file_name": columns.text("name of the recording; not always the storyteller's"),
            "kind": columns.choice("what was recorded", tuple(KINDS.values())),
            "transcript": columns.text("the whole transcript, untouched"),
            "summary": columns.text("written by a machine"),
            "location_text": columns.text("the cell exactly as delivered"),
            "location_id": columns.reference("locations"),
            "project_text": columns.text("the cell exactly as delivered"),
            "project_id": columns.reference("projects"),
            "recorded_on": columns.date("entered by hand"),
            "video_draft_url": columns.text("the uncut video"),
            "is_processed": columns.flag("themes and quotes were drawn from it"),
        },
    )


def transform(source: Source) -> Transformed:
    """One row per record of Media."""
    return cells.read(source, TABLE, DECLARES)


SPEC = TableSpec(
    name=NAME,
    source=TABLE,
    model=model,
    declares=DECLARES,
    transform=transform,
    depends=(),
    description="Interviews and their transcripts: the records of the table Media.",
    title="file_name",
)
