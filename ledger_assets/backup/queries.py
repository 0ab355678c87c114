"""The SQL files of this folder.

What belongs here: reading them. What does not: running them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import LiteralString


@cache
def text(name: str) -> LiteralString:
    """The text of ``sql/<name>.sql``."""
    return (files("ledger_assets.backup") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
