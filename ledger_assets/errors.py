"""The errors a person may see. Each message is one line: what is wrong, where (setting, file, table, field or
record id), and what to do. No cell value and no secret ever stands in one.

Anything else that escapes is a fault of ours and keeps its traceback in the log.
"""

from __future__ import annotations

import re

_COMMAND = re.compile(r"(ledger-assets [a-z -]*)\bENV\b")


class LedgerError(Exception):
    """Base of all errors that are shown as one line; ``exit_code`` is the command's."""

    exit_code = 2


def named(text: str, environment: str | None) -> str:
    """``text`` with the environment in its commands: the engine that raises writes ENV where it does not know which."""
    return text if environment is None else _COMMAND.sub(rf"\g<1>{environment}", text)


class SettingsError(LedgerError):
    """A setting is missing, wrong, or does not belong with another."""


class SourceError(LedgerError):
    """Airtable (or what stands for it) refused or answered something that we must not guess about."""


class TargetError(LedgerError):
    """The target Postgres is not what it must be (wrong database, missing role, damaged schema)."""


class StoreError(LedgerError):
    """The object store lacks an object, or holds one that is not what its manifest says."""


class CheckFailed(LedgerError):
    """A check failed: everything worked, and the answer is no."""

    exit_code = 1
