"""What stays content beside the addresses of files, in whatever place the same address stands; and what equal content
means. What is emptied, and how it is written: ``test_content``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_assets.extract.content import content_sha256, without_addresses

ADDRESSES = ("", "a", "https://files.example/1?s=a", "https://files.example/2?s=ü", 'quoted " one', "123")
"""Few, so that the same one stands in several places; with all that makes a string be written with escapes."""
addresses = st.sampled_from(ADDRESSES)
texts = st.sampled_from((*ADDRESSES, *(f'see "{one}" there' for one in ADDRESSES), "url", "att1"))


def attachment(url: Any, thumbnail: str | None = None) -> dict[str, Any]:
    """An attachment as Airtable writes it."""
    found: dict[str, Any] = {"id": "attAAAAAAAAAAAAAA", "url": url, "filename": "face.jpg", "size": 123}
    if thumbnail is not None:
        found["thumbnails"] = {"small": {"url": thumbnail, "width": 36}, "large": {"url": url}}
    return found


attachments = st.builds(attachment, addresses, st.none() | addresses)
others = st.one_of(
    texts,
    st.sampled_from((0, 123, 1.5, None, True)),
    st.fixed_dictionaries({"label": texts, "url": addresses}),  # a button
    st.fixed_dictionaries({"id": st.just("usr1"), "email": texts, "url": addresses}),  # a person
    st.fixed_dictionaries({"id": st.just("attach"), "url": addresses}),  # no file name: no attachment
    st.fixed_dictionaries({"id": st.just("rec1"), "filename": texts, "url": addresses}),
)
fields = st.dictionaries(
    st.sampled_from(("fldA", "fldB", "url")), others | st.lists(attachments | others, max_size=3), max_size=3
)


def raw_of(values: dict[str, Any], ascii_only: bool) -> str:
    """A record's text, written with or without escapes that need not be."""
    written = json.dumps(values, ensure_ascii=ascii_only, separators=(",", ":"))
    return f'{{"id":"recA","createdTime":"2025-01-01T00:00:00.000Z","fields":{written}}}'


def signed(value: Any, url: str) -> Any:
    """The value with that address in each of its attachments, and in nothing else."""
    if isinstance(value, list):
        return [signed(item, url) for item in value]
    if not (isinstance(value, dict) and str(value.get("id")).startswith("att") and "filename" in value):
        return value
    sizes = {name: {**size, "url": url} for name, size in value.get("thumbnails", {}).items()}
    return {**value, "url": url, **({"thumbnails": sizes} if sizes else {})}


def resigned(values: dict[str, Any], url: str) -> dict[str, Any]:
    """The cells as another answer of Airtable's would have them."""
    return {name: signed(cell, url) for name, cell in values.items()}


@settings(deadline=None)
@given(fields, st.booleans())
def test_the_text_that_is_left_differs_in_nothing_else(values: dict[str, Any], ascii_only: bool) -> None:
    """Not in a space, not in an escape; buttons, people and texts keep the very same address."""
    assert without_addresses(raw_of(values, ascii_only)) == raw_of(resigned(values, ""), ascii_only)


@settings(deadline=None)
@given(fields, st.booleans())
def test_leaving_out_twice_is_leaving_out_once(values: dict[str, Any], ascii_only: bool) -> None:
    """A text may have been through it before."""
    once = without_addresses(raw_of(values, ascii_only))
    assert without_addresses(once) == once


@settings(deadline=None)
@given(fields, fields, addresses, st.booleans())
def test_content_is_equal_just_when_all_but_addresses_is(
    one: dict[str, Any], other: dict[str, Any], url: str, ascii_only: bool
) -> None:
    """In both directions: new addresses are the same content, and nothing that changed is taken for one."""
    content = content_sha256(raw_of(one, ascii_only))
    assert content == content_sha256(raw_of(resigned(one, url), ascii_only))
    same = raw_of(resigned(one, ""), ascii_only) == raw_of(resigned(other, ""), ascii_only)
    assert (content == content_sha256(raw_of(other, ascii_only))) is same


@pytest.mark.parametrize("cell", ["https://x/1", {"label": "Open", "url": "https://x/1"}, ["https://x/1"]])
def test_an_address_that_somebody_pasted_elsewhere_is_content_there(cell: Any) -> None:
    """When that changes, the record has changed."""
    one = raw_of({"fldA": [attachment("https://x/1")], "fldB": cell}, ascii_only=False)
    other = raw_of({"fldA": [attachment("https://x/1")], "fldB": "other"}, ascii_only=False)
    assert content_sha256(one) != content_sha256(other)
    assert without_addresses(one).count("https://x/1") == 1


def test_a_number_in_the_place_of_an_address_is_none() -> None:
    """Else the same digits in a text would be left out."""
    raw = raw_of({"fldA": [attachment(123)], "fldB": "123"}, ascii_only=False)
    assert without_addresses(raw) == raw
