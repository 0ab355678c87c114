"""The rows of the table that a run prints: what was measured, against what, and whether it meets its target."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


@dataclass(frozen=True)
class Row:
    """One line of the table. ``met`` None: a line for information, without a target."""

    what: str
    measured: str
    target: str = ""
    met: bool | None = None


def render(rows: Sequence[Row], *, seconds: float, smoke: bool) -> str:
    """The table as Markdown, with the machine that it was measured on."""
    verdict = {True: "met", False: "**missed**", None: ""}
    lines = ["| what | measured | target | |", "|---|---|---|---|"]
    lines += [
        f"| {row.what} | {row.measured} | {row.target} | {verdict[None if smoke else row.met]} |"
        for row in rows
    ]
    size = "smoke sizes: these numbers say nothing" if smoke else "full sizes"
    made = f"`python -m benchmarks` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores"
    lines += ["", f"{made}, Python {platform.python_version()}, {size}, {seconds:.0f} s in all."]
    return "\n".join(lines)


def write_into(file: Path, table: str) -> None:
    """Replace what stands between the two marks of ``file``. Raises ValueError when it has none."""
    text = file.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{file} needs the lines {BEGIN} and {END}, once each, where the table is to stand")
    between = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    file.write_text(between.sub(lambda _: f"{BEGIN}\n{table}\n{END}", text), encoding="utf-8")
