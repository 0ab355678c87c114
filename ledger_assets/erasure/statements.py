"""The SQL files of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files


@cache
def text(name: str) -> bytes:
    """The file ``sql/<name>.sql``."""
    return (files("ledger_assets.erasure") / "sql" / f"{name}.sql").read_bytes()


def each(name: str) -> Iterator[bytes]:
    """Its statements one by one: with parameters Postgres takes one at a time. No semicolon ends a line but theirs."""
    return (one for one in text(name).split(b";\n") if one.strip())
