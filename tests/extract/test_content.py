"""What of a record counts as content: all but the addresses of files, however the text writes them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_assets.extract.content import content_sha256, without_addresses

addresses = st.sampled_from(["https://a/b", "https://é/x", 'h"q', "h\\b", "u"])
texts = st.sampled_from(['say "https://a/b', '"https://a/b"', "h\\b", "words", "\n"]) | addresses
attachments = st.builds(
    lambda url, small: {
        "id": "att1",
        "filename": "f",
        "url": url,
        "thumbnails": {"small": {"url": small, "width": 1}},
    },
    addresses,
    addresses,
)
cells = texts | st.lists(texts | attachments, max_size=3) | st.builds(lambda url: {"url": url}, addresses)


def emptied(value: Any) -> Any:
    """The cell without the addresses of its attachments."""
    if isinstance(value, list):
        return [emptied(item) for item in value]
    if isinstance(value, dict) and "thumbnails" in value:
        return {**value, "url": "", "thumbnails": {"small": {"url": "", "width": 1}}}
    return value


@settings(max_examples=500, deadline=None)
@given(
    fields=st.dictionaries(st.sampled_from(["fldA", "fldB", "fldC"]), cells, max_size=3),
    ascii_only=st.booleans(),
    slashes=st.booleans(),
)
def test_addresses_of_files_are_emptied_and_nothing_else(
    fields: dict[str, Any], ascii_only: bool, slashes: bool
) -> None:
    raw = json.dumps({"id": "rec1", "fields": fields}, ensure_ascii=ascii_only)
    if slashes:
        raw = raw.replace("/", "\\/")
    expected = {name: emptied(cell) for name, cell in fields.items()}
    assert json.loads(without_addresses(raw))["fields"] == expected


def test_a_new_address_of_the_same_file_is_the_same_content_and_a_new_file_is_not() -> None:
    text = '{"id":"rec1","fields":{"fldA":[{"id":"%s","url":"%s","filename":"f"}],"fldB":"https://x"}}'
    assert content_sha256(text % ("att1", "https://x")) == content_sha256(text % ("att1", "https://y"))
    assert content_sha256(text % ("att1", "https://x")) != content_sha256(text % ("att2", "https://x"))
