"""What of a record's text is content: all of it but the addresses of files.

Airtable signs the address of every attachment anew with each response, so the text of a record with a file differs
from export to export although nothing changed. Its content hash leaves those addresses out, and only those: the
strings that stand as ``url`` in an attachment or its thumbnails. The exact text is kept and hashed all the same.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from ledger_assets.extract.slices import parse

_PLAIN = re.compile(r'[^\x00-\x1f"\\]*')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def content_sha256(raw: str) -> bytes:
    """SHA-256 of a record's text without the addresses of its attachments (own cells and lookups)."""
    return hashlib.sha256(without_addresses(raw).encode()).digest()


def without_addresses(raw: str) -> str:
    """A record's text with the addresses of its attachments emptied."""
    if '"att' not in raw or '"url"' not in raw:
        return raw
    addresses = set(_addresses(parse(raw).get("fields")))
    if not addresses:
        return raw
    escaped = "\\u" in raw or "\\/" in raw
    if not escaped and all(_stands_only_as_itself(address, raw) for address in addresses):
        for address in addresses:
            raw = raw.replace(f'"{address}"', '""')
        return raw

    def emptied(match: re.Match[str]) -> str:
        text = match[0]
        value = json.loads(text) if "\\" in text else text[1:-1]
        return '""' if value in addresses else text

    return _STRING.sub(emptied, raw)


def _stands_only_as_itself(address: str, raw: str) -> bool:
    """True when ``"address"`` in a text without optional escapes is that string and nothing else is: nothing in it
    needs an escape, no string ends with it after an escaped quotation mark. Then nobody need look at every string.
    """
    return _PLAIN.fullmatch(address) is not None and f'\\"{address}"' not in raw


def _addresses(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list):
                yield from _addresses(item)
    elif isinstance(value, dict):
        if is_attachment(value):
            thumbnails = value.get("thumbnails")
            sizes = thumbnails.values() if isinstance(thumbnails, dict) else ()
            for holder in (value, *(size for size in sizes if isinstance(size, dict))):
                if isinstance(holder.get("url"), str):
                    yield holder["url"]
        else:
            for item in value.values():
                if isinstance(item, dict | list):
                    yield from _addresses(item)


def is_attachment(value: dict[str, Any]) -> bool:
    """True for an attachment: a button or a person may have an address too, which is content."""
    return isinstance(value.get("id"), str) and value["id"].startswith("att") and "filename" in value
