"""What of a record's text is content: all of it but the addresses of files.

Airtable signs the address of every attachment anew with each response, so the text of a record with a file differs
from export to export although nothing changed. Its content hash leaves those addresses out, and only those: the
strings that stand as ``url`` in an attachment or its thumbnails. The exact text is kept and hashed all the same.

Invariant: places are emptied, not strings: the same address in a text, a button or a person's cell stays content.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ledger_assets.extract.slices import is_text, parse

_PLAIN = re.compile(r'[^\x00-\x1f"\\]*')
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s{}\[\]",:]+')
"""A string, a bracket, a number or word; commas and colons say nothing more in a text that is known to be JSON."""

_CONTAINERS = (dict, list)


class _Placed(str):
    """A string of a JSON text, and where it stands there."""

    place: tuple[int, int]


def content_sha256(raw: str) -> bytes:
    """SHA-256 of a record's text without the addresses of its attachments (own cells and lookups)."""
    return hashlib.sha256(without_addresses(raw).encode()).digest()


def without_addresses(raw: str) -> str:
    """A record's text with the addresses of its attachments emptied. Raises :class:`BadBody` when it is no JSON."""
    # One character is found ten times as fast as two, and most texts have none.
    escaped = "\\" in raw and ("\\u" in raw or "\\/" in raw)
    if not escaped and ('"att' not in raw or '"url"' not in raw):
        return raw
    addresses = Counter(_addresses(_fields(raw)))
    if not escaped and all(_stands_only_there(address, times, raw) for address, times in addresses.items()):
        for address in addresses:
            raw = raw.replace(f'"{address}"', '""')
    elif addresses:
        places = sorted(one.place for one in _addresses(_placed(raw)["fields"]) if isinstance(one, _Placed))
        for start, end in reversed(places):
            raw = f'{raw[:start]}""{raw[end:]}'
    return raw


def _stands_only_there(address: str, times: int, raw: str) -> bool:
    """True when ``"address"`` in a text without optional escapes is nothing but its attachments' address: it stands
    there as often as in them. Then nobody need look at every string, which takes many times as long.
    """
    return _PLAIN.fullmatch(address) is not None and raw.count(f'"{address}"') == times


def _placed(raw: str) -> Any:
    """The value of a text that is known to be JSON, its strings with their places; numbers and words are None."""
    opened: list[list[Any]] = [[]]
    for token in _TOKEN.finditer(raw):
        text = token[0]
        if text in "{[":
            opened.append([])
        elif text in "}]":
            items = opened.pop()
            opened[-1].append(items if text == "]" else dict(zip(items[::2], items[1::2], strict=True)))
        elif text[0] == '"':
            string = _Placed(json.loads(text))
            string.place = token.span()
            opened[-1].append(string)
        else:
            opened[-1].append(None)
    return opened[0][0]


def _fields(raw: str) -> Any:
    """The record's cells, numbers as Python reads them: the strict reader calls Python for each, and files have many."""
    try:
        return json.loads(raw).get("fields")
    except ValueError:  # a number of more than 4,300 digits, or no JSON
        return parse(raw).get("fields")


def _addresses(cells: Any) -> Iterator[str]:
    waiting = [cells]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if not is_attachment(value):
                value = value.values()
            else:
                yield from _of_attachment(value)
                continue
        elif not isinstance(value, list):
            continue
        waiting += [item for item in value if isinstance(item, _CONTAINERS)]


def _of_attachment(value: dict[str, Any]) -> Iterator[str]:
    thumbnails = value.get("thumbnails")
    sizes = thumbnails.values() if isinstance(thumbnails, dict) else ()
    for holder in (value, *sizes):
        if isinstance(holder, dict) and is_text(holder.get("url")):
            yield holder["url"]


def is_attachment(value: dict[str, Any]) -> bool:
    """True for an attachment: a button or a person may have an address too, which is content."""
    return isinstance(value.get("id"), str) and value["id"].startswith("att") and "filename" in value
