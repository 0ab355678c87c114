"""The words of each announcement: text files that a community can put its own in place of.

What belongs here: finding, judging and filling a template. What does not: the words themselves (``templates/*.txt``).

A template's first line is ``Subject: ...``, then an empty line, then the text, with ``{placeholders}``. One that is empty
means that this step is not announced.

Invariant: every template of the folder is judged before anything is sent: nobody reads ``{start_tmie}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ledger_assets.errors import SettingsError

TEMPLATES = "ANNOUNCE_TEMPLATES"
SHIPPED = Path(__file__).with_name("templates")
PLACEHOLDERS = frozenset(
    {
        "platform",
        "start",
        "start_day",
        "start_time",
        "end",
        "end_time",
        "hours",
        "zone",
        "progress",
        "status_page",
        "contacts",
    }
)
MOST_CHARACTERS = 20_000


class Step(StrEnum):
    """What is announced, in this order."""

    WEEK_BEFORE = "week_before"
    DAY_BEFORE = "day_before"
    BEGUN = "begun"
    HOURLY = "hourly"
    DONE = "done"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True)
class Template:
    """A subject and a text, with their placeholders."""

    subject: str
    body: str

    def fill(self, values: Mapping[str, str]) -> tuple[str, str]:
        """Subject and text for people. What a value holds is never read as a placeholder again."""

        def filled(text: str) -> str:
            return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], text)

        body = filled(self.body)
        return filled(self.subject), re.sub(r"\n{3,}", "\n\n", body).strip()


def read_templates(folder: Path | None) -> dict[Step, Template | None]:
    """All of them; None: the community wants no such announcement. Raises SettingsError with one line per fault."""
    found: dict[Step, Template | None] = {}
    faults = [] if folder is None else list(_strangers(folder))
    for step in Step:
        own = folder / f"{step}.txt" if folder is not None else None
        path = own if own is not None and own.exists() else SHIPPED / f"{step}.txt"
        try:
            found[step] = _read(path)
        except SettingsError as error:
            faults.append(str(error))
    if faults:
        raise SettingsError("\n".join(faults))
    return found


def _strangers(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise SettingsError(f"{TEMPLATES}: the folder {folder} does not exist")
    known = {f"{step}.txt" for step in Step}
    return [
        f"{TEMPLATES}: {path.name} is no announcement: known are {', '.join(f'{step}.txt' for step in Step)}"
        for path in sorted(folder.glob("*.txt"))
        if path.name not in known
    ]


def _read(path: Path) -> Template | None:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{TEMPLATES}: {path.name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{TEMPLATES}: {path.name} is not UTF-8: save it as UTF-8") from None
    if not text.strip():
        return None
    if len(text) > MOST_CHARACTERS:
        raise SettingsError(f"{TEMPLATES}: {path.name} is longer than {MOST_CHARACTERS:,} characters")
    for number, line in enumerate(text.splitlines(), start=1):
        for match in re.finditer(r"\{([^{}]*)\}?|\}", line):
            if match[0] != f"{{{match[1]}}}" or match[1] not in PLACEHOLDERS:
                raise SettingsError(
                    f"{TEMPLATES}: {path.name} line {number}: {match[0]} is no placeholder; known are "
                    f"{', '.join(f'{{{name}}}' for name in sorted(PLACEHOLDERS))}"
                )
    first, _, body = text.partition("\n")
    subject = re.fullmatch(r"Subject:\s*(\S.*)", first.strip())
    if subject is None or not body.strip():
        raise SettingsError(
            f"{TEMPLATES}: {path.name} must begin with a line `Subject: ...`, then an empty line, then the text"
        )
    return Template(subject[1].strip(), body.strip())
