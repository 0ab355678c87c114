"""Who gets an announcement: an explicit file, one address a line.

What belongs here: reading the file, and what counts as an address. What does not: sending.

Invariants: a file with a wrong line gives nobody (half of a list is worse than an error); an address never stands in an
error, only the number of its line; an address that stands there twice is one recipient.
"""

from __future__ import annotations

import re
from pathlib import Path

from ledger_assets.errors import SettingsError

RECIPIENTS = "ANNOUNCE_RECIPIENTS"
MOST_NAMED = 20

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
"""What HTML's ``<input type=email>`` takes, with a dot in the domain. Not what apprise takes: it reads
``o'neil@example.org`` as ``neil@example.org``, somebody else."""


def is_address(text: str) -> bool:
    """Is it one plain e-mail address?"""
    return _ADDRESS.fullmatch(text) is not None


def read_recipients(path: Path) -> tuple[str, ...]:
    """The addresses in the file's order, each once. Raises SettingsError naming wrong lines by number."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise SettingsError(f"{RECIPIENTS}: the file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{RECIPIENTS}: {path.name} is not UTF-8: save it as UTF-8") from None
    found: dict[str, str] = {}
    wrong: list[int] = []
    for number, line in enumerate(lines, start=1):
        address = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if not address:
            continue
        if is_address(address):
            found.setdefault(address.lower(), address)
        else:
            wrong.append(number)
    if wrong:
        named = ", ".join(str(number) for number in wrong[:MOST_NAMED])
        more = f" and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise SettingsError(
            f"{RECIPIENTS}: {path.name}: no e-mail address in line {named}{more}; nothing was sent: write one address a "
            "line, a comment after #"
        )
    if not found:
        raise SettingsError(f"{RECIPIENTS}: {path.name} names nobody: write one address a line")
    return tuple(found.values())
