"""The proof as a list of checks for machines: one per Airtable table and name, with counts and at most 20
ids."""

from __future__ import annotations

from collections.abc import Iterable

from ledger_assets.proof.model import (
    Check,
    DerivedProof,
    FieldProof,
    LinkProof,
    Proof,
    Records,
)
from ledger_assets.proof.promises import Promise
from ledger_assets.proof.verdicts import FAILING, SAMPLE, Named

RECORDS, CELLS, LINKS, DERIVED = "records", "cells", "links", "derived"
FILES, COLUMNS, ROWS, CONSENT, EXPORT = "files", "columns", "rows", "consent", "export"
NAMES = (RECORDS, CELLS, LINKS, DERIVED, FILES, COLUMNS, ROWS, CONSENT, EXPORT)
BASE = "base"
"""Stands for the table in checks of the whole base."""

Detail = dict[str, int | str | list[str]]


def checks_of(proof: Proof) -> list[Check]:
    """Every part of the proof; the proof passed when all of them did."""
    tables = list(dict.fromkeys([*(r.table for r in proof.records), *(f.table for f in proof.fields)]))
    checks: list[Check] = []
    for table in tables:
        records = [r for r in proof.records if r.table == table]
        fields = [f for f in proof.fields if f.table == table]
        links = [p for p in proof.links if p.table == table]
        derived = [d for d in proof.derived if d.table == table]
        checks.append(Check(table, RECORDS, all(r.passed for r in records), _records(records)))
        checks.append(Check(table, CELLS, all(f.passed for f in fields), _cells(fields)))
        checks.append(Check(table, LINKS, all(p.passed for p in links), _links(links)))
        checks.append(Check(table, DERIVED, all(d.passed for d in derived), _derived(derived)))
        promises = [p for p in proof.promises if p.table == table]
        if promises:
            checks.append(Check(table, CONSENT, all(p.passed for p in promises), _promises(promises)))
    files = proof.files
    detail: Detail = {"attachments": files.attachments, "files": files.files, "bytes": files.size}
    _name(detail, files.problems)
    checks.append(Check(BASE, FILES, files.passed, detail))
    alarms = [f"{notice.table}: {notice.text}" for notice in proof.notices if notice.alarm]
    checks.append(Check(BASE, COLUMNS, not alarms, {"alarms": alarms[:SAMPLE]}))
    differ = [f"{notice.table}: {notice.text}" for notice in proof.rows]
    checks.append(Check(BASE, ROWS, not differ, {"differ": differ[:SAMPLE]}))
    about = [f"{notice.table}: {notice.text}" for notice in proof.about]
    checks.append(Check(BASE, EXPORT, not about, {"differ": about[:SAMPLE]}))
    return checks


def _records(records: Iterable[Records]) -> Detail:
    detail: Detail = {}
    for one in records:
        detail |= {"export": one.export, "raw records": one.raw, "comments": one.comments_raw}
        if one.erased:
            detail |= {"in Airtable": one.airtable, "erased, left out of the export": one.erased}
        if one.redacted:
            detail["with cells left out because of what was erased"] = one.redacted
        if one.readdressed:
            detail["same but for addresses of files"] = one.readdressed
        if one.comments_export != one.comments_raw:
            detail["comments in the export"] = one.comments_export
        if not one.comments_whole:
            detail["comments by the manifest"] = "not as many as the export holds"
        if not one.manifest_agrees:
            detail["content hash"] = "not what the export's manifest says"
        _name(detail, raw_problems(one))
        for equation in one.equations:
            detail[equation.target] = equation.text
            _name(detail, equation.problems, equation.target)
    return detail


def raw_problems(one: Records) -> list[tuple[str, Named]]:
    """What is wrong with the raw records, in words."""
    return [
        ("not in the raw records", one.missing),
        ("not in the export", one.extra),
        ("text altered", one.altered),
        ("marked as deleted though in the export", one.deleted_wrongly),
        ("stored hash is not of the text", one.hash_stale),
        ("columns do not say what the text says", one.fields_differ),
        ("comments missing, altered or extra", one.comments_differ),
    ]


def _cells(fields: Iterable[FieldProof]) -> Detail:
    every = list(fields)
    detail: Detail = {"cells": sum({f.field_id: f.source for f in every}.values()), "fields": len(every)}
    for one in every:
        if one.problem:
            detail[f"{one.field} -> {one.destination}"] = one.problem
        elif not one.passed and not any(one.verdicts.get(verdict) for verdict in FAILING):
            detail[f"{one.field} -> {one.destination}"] = (
                f"{one.source} cells in the export, {one.raw} in the raw records, {one.judged} accounted for"
            )
        _name(
            detail,
            ((f"{verdict} in {one.destination}", found) for verdict, found in one.named.items()),
            one.field,
        )
    return detail


def _links(links: Iterable[LinkProof]) -> Detail:
    every = list(links)
    detail: Detail = {"links": sum(one.links for one in every)}
    for one in every:
        found = (
            ("missing", one.missing),
            ("extra", one.extra),
            ("reordered", one.reordered),
            ("dangling", one.dangling),
        )
        _name(detail, found, f"{one.field} -> {one.against}")
    return detail


def _derived(derived: Iterable[DerivedProof]) -> Detail:
    every = list(derived)
    detail: Detail = {
        "compared": sum(one.agree + one.fewer + one.differ.count for one in every),
        "not comparable": sum(one.not_comparable for one in every),
    }
    if redacted := sum(one.redacted for one in every):
        detail["left out because of what was erased"] = redacted
    for one in every:
        _name(detail, [("differ", one.differ)], f"{one.field} ({one.how})")
    return detail


def _promises(promises: Iterable[Promise]) -> Detail:
    detail: Detail = {}
    for one in promises:
        detail[f"{one.target} rows"] = one.rows
        _name(detail, [(f"not so: {one.text}", one.broken)], one.target)
    return detail


def _name(detail: Detail, found: Iterable[tuple[str, Named]], prefix: str = "") -> None:
    """Add the count and the ids of everything that was found."""
    for words, one in found:
        if one:
            key = f"{prefix}: {words}" if prefix else words
            detail[key] = one.count
            detail[f"{key} (ids)"] = list(one.ids)
