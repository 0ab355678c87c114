"""The proof as one HTML page for a person: self-contained, printable, without scripts and without a cell's
value.

What belongs here: what is shown, in which order and words. What does not: how it looks (``templates``), the
charts' drawing (``charts``), any judgement (``model``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from ledger_assets.proof.charts import Part, bar
from ledger_assets.proof.checks import raw_problems
from ledger_assets.proof.model import DerivedProof, FieldProof, Proof
from ledger_assets.proof.report import count_cells, headline
from ledger_assets.proof.verdicts import FAILING, Named, Verdict

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"

WORDS = {
    Verdict.SAME: "same",
    Verdict.NORMALISED: "normalised by the rule",
    Verdict.DERIVED: "computed by Airtable, recomputed here",
    Verdict.RAW_ONLY: "in the raw records only",
    Verdict.REJECTED: "refused, with a finding",
    Verdict.SKIPPED: "record skipped by a rule",
    Verdict.CHANGED: "changed here since",
    Verdict.ADDED: "added here since",
    Verdict.CONFLICT: "changed on both sides",
    Verdict.MISSING: "missing",
    Verdict.DIFFERENT: "different",
    Verdict.EXTRA: "invented",
}
"""In the order in which a bar shows them."""

KINDS = {
    "quarantine": "could not be mapped: kept in the raw records, empty in the column",
    "unmapped": "text that no reviewed mapping file knows",
    "duplicate": "people who may be the same: proposed, never merged",
    "conflict": "changed here and in Airtable: not written",
    "deleted": "gone from Airtable: kept here, marked",
    "missing_file": "files that could not be had",
    "no_storyteller": "stories without a storyteller",
    "ambiguous_storyteller": "quotes with more than one possible storyteller",
}


@dataclass(frozen=True)
class Tile:
    """One number of the summary."""

    title: str
    number: int
    words: str
    passed: bool
    anchor: str


@dataclass(frozen=True)
class Failure:
    """One thing that failed, with where and which ids."""

    place: str
    words: str
    found: Named


@cache
def environment() -> jinja2.Environment:
    """Templates with everything escaped that is not our own SVG."""
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    found.filters["number"] = lambda value: f"{value:,}"
    found.undefined = jinja2.StrictUndefined
    return found


def render(proof: Proof, *, target: str = "", run_id: str = "") -> str:
    """The page. ``target``: the environment's name; ``run_id``: the run that made the proof."""
    tables = list(dict.fromkeys([*(r.table for r in proof.records), *(f.table for f in proof.fields)]))
    return (
        environment()
        .get_template("proof.html.j2")
        .render(
            proof=proof,
            title="Proof of a migration",
            headline=headline(proof),
            passed=proof.passed,
            target=target,
            run_id=run_id,
            tiles=_tiles(proof),
            failures=failures(proof),
            tables=[_table(name, [f for f in proof.fields if f.table == name]) for name in tables],
            words=WORDS,
            kinds=KINDS,
            used=[verdict for verdict in WORDS if any(f.verdicts.get(verdict) for f in proof.fields)],
            field_bar=field_bar,
            table_bar=table_bar,
            equation_bar=equation_bar,
            derived_bar=derived_bar,
            table_passed=lambda fields: all(f.passed for f in fields),
            cells=lambda fields: sum({f.field_id: f.source for f in fields}.values()),
            others=_others,
        )
    )


def _table(name: str, fields: list[FieldProof]) -> tuple[str, list[FieldProof], list[FieldProof]]:
    """A table's fields: those with anything to say, and those that are empty in Airtable and here."""
    empty = [f for f in fields if f.passed and not f.source and not f.verdicts]
    return name, [f for f in fields if f not in empty], empty


def failures(proof: Proof) -> list[Failure]:
    """Everything that failed, in words, the first things first."""
    found: list[Failure] = []
    for one in proof.records:
        found += [Failure(one.table, words, ids) for words, ids in raw_problems(one) if ids]
        if not one.manifest_agrees:
            words = "the content hash is not what the export's manifest says"
            found.append(Failure(one.table, words, Named(abs(one.manifest - one.raw))))
        if not one.comments_whole:
            found.append(
                Failure(one.table, "comments are not as many as the export's manifest says", Named())
            )
        for equation in one.equations:
            place = f"{one.table} → {equation.target}"
            found += [Failure(place, words, ids) for words, ids in equation.problems if ids]
    for field in proof.fields:
        found += _field_failures(field)
    for link in proof.links:
        place = f"{link.table}.{link.field} → {link.against}"
        problems = (("missing", link.missing), ("extra", link.extra), ("in another order", link.reordered))
        found += [Failure(place, f"links {words}", ids) for words, ids in problems if ids]
        if link.dangling:
            found.append(Failure(place, "links to records that are not in the export", link.dangling))
    for computed in proof.derived:
        if not computed.passed:
            place = f"{computed.table}.{computed.field}"
            found.append(
                Failure(place, "Airtable shows something else than the raw records", computed.differ)
            )
    for promise in proof.promises:
        if promise.broken:
            found.append(
                Failure(f"{promise.table} → {promise.target}", f"not so: {promise.text}", promise.broken)
            )
    found += [
        Failure("Files", f"files {words} (attachment ids)", ids) for words, ids in proof.files.problems if ids
    ]
    alarms = (*proof.about, *proof.notices, *proof.rows)
    return found + [Failure(n.table, n.text, Named()) for n in alarms if n.alarm]


def _field_failures(field: FieldProof) -> list[Failure]:
    place = f"{field.table}.{field.field} → {field.destination}"
    found = [Failure(place, f"cells {WORDS[verdict]}", ids) for verdict, ids in field.named.items() if ids]
    if field.problem:
        found.append(Failure(place, field.problem, Named(field.source)))
    elif not field.passed and not any(field.verdicts.get(verdict) for verdict in FAILING):
        words = (
            f"{field.source:,} cells in the export, {field.raw:,} in the raw records, {field.judged:,} judged"
        )
        found.append(Failure(place, words, Named(abs(field.source - field.judged))))
    return found


def _tiles(proof: Proof) -> list[Tile]:
    passed = Counter[str]()
    for check in proof.checks:
        passed[check.name] += not check.passed
    compared = [d for d in proof.derived if d.agree + d.fewer + d.differ.count]
    return [
        Tile(
            "Records",
            sum(r.export for r in proof.records),
            "to the byte, but for file addresses"
            if any(r.readdressed for r in proof.records)
            else "to the byte",
            not (passed["records"] + passed["export"]),
            "records",
        ),
        Tile(
            "Cells",
            count_cells(proof),
            "each with a verdict",
            not (passed["cells"] + passed["columns"] + passed["consent"]),
            "cells",
        ),
        Tile(
            "Links",
            sum(p.links for p in proof.links if not p.rows),
            "both ways",
            not passed["links"],
            "links",
        ),
        Tile("Computed", sum(d.agree for d in compared), "recomputed", not passed["derived"], "computed"),
        Tile("Files", proof.files.files, "hashed again", not passed["files"], "files"),
    ]


def field_bar(field: FieldProof) -> Markup:
    """The verdicts of one field."""
    parts = [Part(verdict.value, field.verdicts.get(verdict, 0), words) for verdict, words in WORDS.items()]
    return Markup(bar(parts, field.source))  # noqa: S704  # charts escapes every text


def table_bar(fields: list[FieldProof]) -> Markup:
    """The verdicts of a whole table."""
    total = Counter[Verdict]()
    for field in fields:
        total.update(field.verdicts)
    parts = [Part(verdict.value, total[verdict], words) for verdict, words in WORDS.items()]
    return Markup(bar(parts, total.total(), height=14))  # noqa: S704  # charts escapes every text


def equation_bar(rows: int, quarantined: int, skipped: int, records: int) -> Markup:
    """What became of a table's records."""
    lost = max(0, records - rows - quarantined - skipped)
    parts = [
        Part("same", rows, "rows"),
        Part("rejected", quarantined, "quarantined"),
        Part("skipped", skipped, "skipped"),
        Part("missing", lost, "unaccounted"),
    ]
    return Markup(bar(parts, records))  # noqa: S704  # charts escapes every text


def derived_bar(proofs: list[DerivedProof]) -> Markup:
    """How computed fields compare."""
    parts = [
        Part("same", sum(p.agree for p in proofs), "agree"),
        Part("changed", sum(p.fewer for p in proofs), "show less"),
        Part("raw_only", sum(p.not_comparable for p in proofs), "not comparable"),
        Part("different", sum(p.differ.count for p in proofs), "differ"),
    ]
    return Markup(bar(parts, sum(part.count for part in parts), height=14))  # noqa: S704  # charts escapes every text


def _others(field: FieldProof) -> str:
    """The verdicts of a field other than "same", in words."""
    found = [
        f"{count:,} {WORDS[verdict]}"
        for verdict in WORDS
        if (count := field.verdicts.get(verdict, 0))
        and verdict not in {Verdict.SAME, Verdict.DERIVED, Verdict.RAW_ONLY}
    ]
    return ", ".join(found)
