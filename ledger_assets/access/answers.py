"""What the answers of a session mean, in the labels of the world.

What belongs here: from ids and error codes to labels, and the comparison with the cells. What does not: statements
(``trials``), sessions (``run``).

Invariants: a refusal is the absence of a label; any other error is told by its code, so that no cell can be green
because its act was broken; an answer's id that is not the world's is told as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ledger_assets.access.ids import World
from ledger_assets.access.matrix import NOTHING, Matrix
from ledger_assets.access.report import Difference, compare
from ledger_assets.access.trials import Trial, labels_of

CLOSED = "closed"
"""The role lacks the privilege, whatever the row: ``sql/try_acts.sql`` says so."""
REFUSED = {CLOSED, "42501"}
STOPPED_BY_KEYS = {"23001", "23503", "23505"}
"""Access had let the act pass: only a key or a uniqueness stopped it."""
ERASED_NOT_DELETED = ("public.stories", "remove", "23514")
"""So is a story whose erasure is asked for: the request's own check wants it carried out."""

Outcome = tuple[Trial, Mapping[str, Any]]
Seen = dict[tuple[str, str], frozenset[str]]
"""(table or function, act) -> labels."""


def hides(outcome: Mapping[str, Any]) -> bool:
    """True of an error of many rows at once that says nothing of the single ones."""
    return bool(outcome.get("error", CLOSED) != CLOSED)


def in_labels(outcomes: Iterable[Outcome], rows: World) -> Seen:
    """What a session was permitted. A label of which only some rows were touched is told as ``part_of_<label>``."""
    found: dict[tuple[str, str], set[str]] = {}
    touched: dict[tuple[str, str], set[str]] = {}
    for trial, outcome in outcomes:
        key, error = (trial.subject, trial.act), outcome.get("error")
        labels = found.setdefault(key, set())
        if error in STOPPED_BY_KEYS or (*key, error) == ERASED_NOT_DELETED:
            touched.setdefault(key, set()).update(trial.ids)
            labels |= {trial.variant} if trial.variant else set()
        elif error is not None:
            labels |= set() if error in REFUSED else {f"error_{error}"}
        elif trial.variant:
            labels.add(trial.variant)
        else:
            touched.setdefault(key, set()).update(str(answer) for answer in outcome["answer"] or [])
    known = {str(r["id"]): label for table in rows.values() for label, those in table.items() for r in those}
    for key, ids in touched.items():
        found[key] |= _rows_touched(ids, rows[key[0]]) if key[0] in rows else _words(ids, known)
    return {key: frozenset(labels) for key, labels in found.items()}


def differences(
    matrix: Matrix, tables: Iterable[str], rows: World, column: str, seen: Seen
) -> tuple[int, list[Difference]]:
    """How many cells of this column were compared, and those that differ."""
    cells, found, there = 0, list[Difference](), set(tables)
    for (table, act), row in matrix.tables.items():
        if table in there:
            labels = labels_of(table, act, rows.get(table, {}))
            expected = matrix.meaning(row[column], labels, f"{table}, {act}")
            found += compare(table, act, column, expected, seen.get((table, act), ()))
            cells += 1
    for (function, asked), row in matrix.calls.items():
        # An answer may be any word: those of the cell are taken as they stand.
        words = set(row[column].split()) - {NOTHING} - set(matrix.words)
        expected = matrix.meaning(row[column], {*rows["public.stories"], *words}, function)
        found += compare(function, asked, column, expected, seen.get((function, asked), ()))
        cells += 1
    return cells, found


def _rows_touched(ids: set[str], labels: Mapping[str, list[dict[str, Any]]]) -> set[str]:
    found = set()
    for label, rows in labels.items():
        own = {str(row["id"]) for row in rows}
        if own & ids:
            found.add(label if own <= ids else f"part_of_{label}")
    return found


def _words(answers: set[str], known: Mapping[str, str]) -> set[str]:
    return {known.get(answer, answer.replace(" ", "_")) for answer in answers}
