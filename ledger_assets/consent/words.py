"""The words of consent: purposes, circles, kinds of evidence, and how ids are written. No rule.

Heavier modules are imported by commands only when they run; this one is for their options.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

PURPOSES = (
    "public_sharing",
    "community_sharing",
    "organisation_sharing",
    "ai_analysis",
    "commercial_use",
    "posthumous",
)
CIRCLES = ("public", "community", "organisation")
PRIVATE = "private"
EVIDENCE_KINDS = ("form", "recording", "letter", "spoken")
SPOKEN = "spoken"
FROM_AIRTABLE = "airtable"

MOST_IDS = 20

OPEN_TO = (
    "everybody",
    "its community",
    "its organisation",
    "those in both its community and its organisation",
)
CLOSED = "nobody"

_RECORD_ID = re.compile(r"rec[A-Za-z0-9]{10,30}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def record_id(text: str) -> str | None:
    """The text, if it is written like an Airtable record id."""
    return text if _RECORD_ID.fullmatch(text) else None


def row_uuid(text: str) -> uuid.UUID | None:
    """The uuid that the text is."""
    return uuid.UUID(text) if _UUID.fullmatch(text) else None


def is_id(text: str) -> bool:
    """Whether the text can name a row; anything else might be a person's words and is never repeated."""
    return record_id(text) is not None or row_uuid(text) is not None


def open_to(limits: int | None) -> str:
    """Whom a story is open to, of ``stories.eff_limits``; None: it is closed."""
    return CLOSED if limits is None else OPEN_TO[limits]


def listed_ids(ids: Sequence[str]) -> str:
    """The first ids in a line, and how many more there are."""
    more = len(ids) - MOST_IDS
    return ", ".join(ids[:MOST_IDS]) + (f" and {more} more" if more > 0 else "")
