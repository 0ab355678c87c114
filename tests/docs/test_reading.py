"""How a page's commands are read, and how what they print is compared: so that carrying a page out cannot fall silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runbook.carrying import judged
from tests.runbook.page import Command, commands_of, said
from tests.runbook.world import Ran

PAGE = """# Page

## One

```bash
# a comment is no command
set -a; . ./.env; set +a        # in every terminal
ledger-assets status staging    # where am I
#> load ... new
#> next: ...
PGPASSWORD=... ledger-assets restore \\
  production ID
```

Then `ledger-assets health ENV`, or `select 1()`; never `staging`, `off` or `--force` alone.

```json
{"status": "ledger-assets is no command here"}
```

| a | `findings resolve ID --take airtable` |
"""


def test_every_command_of_a_page_is_read_with_what_it_prints(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    found = commands_of(page)
    assert [(one.line, one.whole, one.query) for one in found] == [
        ("set -a; . ./.env; set +a", True, False),
        ("ledger-assets status staging", True, False),
        ("PGPASSWORD=... ledger-assets restore \\\n  production ID", True, False),
        ("ledger-assets health ENV", False, False),
        ("select 1()", False, True),
        ("findings resolve ID --take airtable", False, False),
    ]
    assert [one.prints for one in found if one.prints] == [("load ... new", "next: ...")]
    assert (found[1].place, found[1].section) == ("page.md:8", "One")


@pytest.mark.parametrize(
    ("code", "printed", "problems"),
    [
        (0, "load    2 rows, new\nnext: verify\n", 0),
        (0, "next: verify\nload 2 rows, new\n", 1),  # in their order
        (0, "load 2 rows, old\nnext: verify\n", 1),
        (1, "load 2 rows, new\nnext: verify\n", 1),
        (0, "load 2 rows, new\nTraceback (most recent call last)\nnext: verify\n", 1),
    ],
)
def test_another_exit_code_and_other_lines_are_found(code: int, printed: str, problems: int) -> None:
    command = Command("page.md:8", "One", "ledger-assets status staging", True, ("load ... new", "next: ..."))
    assert len(judged(command, Ran(command.line, code, printed, 0.0), 0)) == problems


def test_what_differs_may_be_nothing_or_anything() -> None:
    assert said("ok ... schema ... up to date").fullmatch("ok schema up to date")
    assert said("... calls").fullmatch("20261122T2241: 2 calls")
    assert not said("... calls").fullmatch("2 calls and more")
