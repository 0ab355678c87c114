"""Quotes, with whether their words occur in a transcript, and whose they are when only one person is
possible.

A quote is not evidence: in the real base two in five occur in no transcript. Nothing is corrected here; the
flag says what was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ledger_assets.tables import cells, columns, findings
from ledger_assets.tables.fields import Declaration, Mapped, TableSpec, Transformed

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "quotes"
TABLE = "Quotes"

DECLARES: tuple[Declaration, ...] = (
    Mapped(TABLE, "Quote Text", "quote"),
    Mapped(TABLE, "Theme", "theme_text"),
)


def model() -> DataFrameSchema:
    """The rows' columns."""
    return columns.model(
        NAME,
        {
            "quote": columns.text("exactly as delivered", required=True),
            "theme_text": columns.text("plain text, not a link to a theme"),
            "occurs_verbatim": columns.flag(
                "its words occur in one of its transcripts, case, punctuation and white space aside; "
                "NULL: there is no transcript to look in",
                required=False,
            ),
            "storyteller_id": columns.reference(
                "storytellers", description="the only storyteller of its interviews; else NULL"
            ),
        },
    )


def transform(source: Source) -> Transformed:
    """One row per record, looked up in its interviews."""
    read = cells.read(source, TABLE, DECLARES, required=("quote",))
    interviews = _interviews(source)
    found = _occurrence(source, read.rows, interviews)
    tellers = _tellers(source, interviews)
    rows = read.rows.join(found, on="airtable_record_id", how="left", maintain_order="left").join(
        tellers.filter(pl.col("certain")).select("airtable_record_id", "storyteller_id"),
        on="airtable_record_id",
        how="left",
        maintain_order="left",
    )
    several = rows.join(
        tellers.filter(pl.col("several")), on="airtable_record_id", how="semi", maintain_order="left"
    )
    told = findings.tell(
        several,
        findings.AMBIGUOUS_STORYTELLER,
        "Transcript Reference",
        "its interviews have several storytellers",
    )
    return Transformed(rows, read.quarantined, read.skipped, findings.reported([read.reported, told]))


def _interviews(source: Source) -> pl.DataFrame:
    """One row per link of a quote to an interview: airtable_record_id (the quote's), ``media`` (record
    id)."""
    return (
        source.records(TABLE)
        .select("airtable_record_id", media="Transcript Reference")
        .explode("media")
        .filter(pl.col("media").is_not_null())
    )


def _occurrence(source: Source, quotes: pl.DataFrame, interviews: pl.DataFrame) -> pl.DataFrame:
    """airtable_record_id, ``occurs_verbatim``; no row for a quote without any transcript."""
    transcripts = (
        source.transformed("interviews")
        .rows.filter(pl.col("transcript").is_not_null())
        .select(media="airtable_record_id", words="transcript")
        .join(interviews, on="media", how="semi")
        .with_columns(cells.plain("words"))
    )
    return (
        interviews.join(transcripts, on="media")
        .join(quotes.select("airtable_record_id", said=cells.plain("quote")), on="airtable_record_id")
        .select(
            "airtable_record_id",
            found=(pl.col("said") != "") & pl.col("words").str.contains(pl.col("said"), literal=True),
        )
        .group_by("airtable_record_id")
        .agg(occurs_verbatim=pl.col("found").any())
    )


def _tellers(source: Source, interviews: pl.DataFrame) -> pl.DataFrame:
    """airtable_record_id, ``storyteller_id``, ``certain`` (nobody else is possible), ``several``.

    An interview of which a speaker is unknown (none named, or one who has no row) makes the quote uncertain.
    """
    speakers = (
        source.transformed("interview_storytellers")
        .rows.group_by(media="airtable_record_id")
        .agg(people=pl.col("storyteller_id"))
    )
    named = source.records("Media").select(
        media="airtable_record_id", named=pl.col("Storytellers").list.n_unique().fill_null(0)
    )
    known = pl.col("people").list.len().fill_null(0)
    return (
        interviews.join(named, on="media", how="left")
        .join(speakers, on="media", how="left")
        .group_by("airtable_record_id")
        .agg(
            storyteller_id=pl.col("people").explode().drop_nulls().first(),
            people=pl.col("people").explode().drop_nulls().n_unique(),
            complete=((pl.col("named").fill_null(0) > 0) & (pl.col("named") == known)).all(),
        )
        .select(
            "airtable_record_id",
            "storyteller_id",
            certain=pl.col("complete") & (pl.col("people") == 1),
            several=pl.col("people") > 1,
        )
    )


SPEC = TableSpec(
    name=NAME,
    source=TABLE,
    model=model,
    declares=DECLARES,
    transform=transform,
    depends=("Media", "Storytellers"),
    description="Quotes, with whether their words occur in a transcript; one that does not is no evidence.",
    title="quote",
)
