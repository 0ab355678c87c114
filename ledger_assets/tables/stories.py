"""Stories. Everything arrives as a private draft (the defaults of the migration); Airtable's own Status and
Permissions are kept as evidence and publish nothing.

Who told a story is in ``authorship``, what it is made from in ``story_interviews``, its pictures in
``media_assets``. A story that nobody is named for is reported.
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

NAME = "stories"
TABLE = "Stories"

LEFT_OVER = "left-over of a CMS-sync plug-in: messages of its own failures"

DECLARES: tuple[Declaration, ...] = (
    Mapped(TABLE, "Story ID", "story_number", Rule.NUMBER),
    Mapped(TABLE, "Title", "title", Rule.TRIMMED),
    Mapped(TABLE, "Story copy", "copy"),
    Mapped(TABLE, "Story Transcript", "transcript"),
    Mapped(TABLE, "Video Story Link", "video_url"),
    Mapped(TABLE, "Video Embed Code", "video_embed_code"),
    Mapped(TABLE, "Created", "recorded_on", Rule.DATE),
    Mapped(TABLE, "Status", "source_status"),
    Mapped(TABLE, "Permissions", "permissions"),
    Mapped(TABLE, "Watermark", "watermark"),
    Mapped(TABLE, "Airtable: Last modified time", "airtable_modified_at", Rule.TIMESTAMP),
    RawOnly(TABLE, "CMS-B: Action", LEFT_OVER),
    RawOnly(TABLE, "CMS-B: Message", LEFT_OVER),
    RawOnly(TABLE, "CMS-B: Sync time", LEFT_OVER),
    RawOnly(TABLE, "Airtbale record ID", "typed by hand; every row carries its record's real id"),
    Derived(
        TABLE, "Quotes Rollup", Recompute.ROLLUP, via="Media", of="Quote Text (from Quotes)", exact=False
    ),
    *lookups(TABLE, "Media", {"Transcript (from Media)": "Transcript", "Location (from Media)": "Location"}),
    *lookups(
        TABLE,
        "Storytellers",
        {"Storytellers Name": "Name", "File Profile Image (from Storytellers)": "File Profile Image"},
    ),
)


def model() -> DataFrameSchema:
    """The rows' columns; ``status`` and ``privacy`` are the migration's constants and stand in none of
    them."""
    return columns.model(
        NAME,
        {
            "story_number": columns.integer("Airtable's autonumber, with gaps"),
            "title": columns.text("the story's title"),
            "copy": columns.text("the edited story"),
            "transcript": columns.text("with its time stamps and edit marks"),
            "video_url": columns.text("the cut video"),
            "video_embed_code": columns.text("HTML of a foreign site: never to be rendered as it is"),
            "recorded_on": columns.date("entered by hand"),
            "source_status": columns.text("Airtable's own Status; publishes nothing"),
            "permissions": columns.text("evidence exactly as delivered; no permission follows from it here"),
            "watermark": columns.text("a code of the staff's"),
            "airtable_modified_at": columns.moment("last change of the record in Airtable"),
        },
    )


def transform(source: Source) -> Transformed:
    """One row per record; stories whose cell Storytellers is empty are reported."""
    read = cells.read(source, TABLE, DECLARES)
    nobody = source.records(TABLE).filter(pl.col("Storytellers").is_null())
    told = findings.tell(
        nobody, findings.NO_STORYTELLER, "Storytellers", "nobody is named as the story's teller"
    )
    return Transformed(read.rows, read.quarantined, read.skipped, findings.reported([read.reported, told]))


SPEC = TableSpec(
    name=NAME,
    source=TABLE,
    model=model,
    declares=DECLARES,
    transform=transform,
    depends=("Storytellers", "Media"),
    description="Stories, each a private draft: the migration never publishes.",
    title="title",
)
