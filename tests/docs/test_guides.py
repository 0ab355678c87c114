"""The guides say what the platform does: their lists are those of the schema; a storyteller's page has no jargon."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from ledger_assets.announce.templates import Step
from ledger_assets.announce.window import AT, HOURS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def first_column(page: str, heading: str) -> list[str]:
    """The first column of the table below a heading."""
    section = (DOCS / page).read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")]
    return [row.strip("`") for row in rows[2:]]


def allowed(conn: psycopg.Connection, table: str, column: str) -> list[str]:
    """The values that a column's check allows."""
    rows = conn.execute(
        "select pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass and contype = 'c'",
        (f"public.{table}",),
    ).fetchall()
    (found,) = (text for (text,) in rows if text.startswith(f"CHECK (({column} = ANY"))
    return re.findall(r"'(\w+)'::text", found)


def test_a_steward_reads_every_purpose_and_every_strength_of_a_protocol(conn: psycopg.Connection) -> None:
    assert sorted(first_column("for-stewards.md", "Somebody says yes")) == sorted(
        allowed(conn, "consents", "purpose")
    )
    strengths = allowed(conn, "cultural_protocols", "enforcement")
    assert first_column("for-stewards.md", "Your community's protocols") == strengths


def test_a_storyteller_reads_every_circle(conn: psycopg.Connection) -> None:
    circles = first_column("for-storytellers.md", "Who can see my story?")
    assert sorted(circles) == sorted(allowed(conn, "storytellers", "privacy"))


JARGON = (
    "database|postgres|supabase|schema|SQL|API|UUID|policy|policies|migrat\\w+|deploy\\w*|snapshot|backup|encrypt\\w*|"
    "metadata|record id|purpose|role|row|query|script|dagster|ledger-assets|token|hash\\w*|e\\.g\\.|i\\.e\\."
)


def test_a_storytellers_page_has_no_jargon_and_no_long_sentences() -> None:
    text = (DOCS / "for-storytellers.md").read_text()
    assert re.findall(rf"\b(?:{JARGON})\b", text, re.IGNORECASE) == []
    assert "`" not in text
    prose = " ".join(line for line in text.splitlines() if not line.startswith(("#", "|")))
    sentences = re.split(r"(?<=[.!?:;])\s+", prose)
    assert [one for one in sentences if len(one.split()) > 40] == []


@pytest.mark.parametrize("step", list(Step))
def test_the_runbook_names_every_announcement_and_its_settings(step: Step) -> None:
    section = (DOCS / "runbook.md").read_text().partition("## Announcements and status page")[2]
    assert f"`{step}`" in section or f" {step} " in section
    assert f"`{AT}`" in section
    assert f"`{HOURS}`" in section
