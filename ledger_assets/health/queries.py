"""The statements of ``sql/``."""

from functools import cache
from importlib.resources import files
from typing import LiteralString


@cache
def text(name: str) -> LiteralString:
    """The statement ``sql/<name>.sql``."""
    return (files("ledger_assets.health") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
