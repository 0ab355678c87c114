"""The keys of placed files. Pure.

    <kind>/<uuid of the row>/<sha256><extension>

Invariants: the same row and content have the same key for ever; what Airtable calls a file's type is believed only where it
is one of the few that a browser shows and does not run.
"""

from __future__ import annotations

import re

EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/heic": ".heic",
    "image/tiff": ".tif",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/wav": ".wav",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "application/pdf": ".pdf",
}
SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""What may lie in a public store: an SVG or HTML file that somebody once attached would run as a page of ours."""
ANYTHING = "application/octet-stream"
_KEY = re.compile(
    r"(profile_image|story_image|consent_form|signature)/"
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{64}(\.[a-z0-9]{3,4})?"
)


def content_type(said: str | None) -> str:
    """What the file is served as; ``said``: what Airtable calls it."""
    kind = (said or "").partition(";")[0].strip().lower()
    return kind if kind in EXTENSIONS else ANYTHING


def key_of(kind: str, row_id: str, sha256: str, served_as: str) -> str:
    """Where the file of that row lies."""
    return f"{kind}/{row_id}/{sha256}{EXTENSIONS.get(served_as, '')}"


def is_ours(key: str) -> bool:
    """Whether a key has the shape of ours: anything else in the store is the app's."""
    return _KEY.fullmatch(key) is not None
