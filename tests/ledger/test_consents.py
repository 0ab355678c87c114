"""Consent cells become rows of purposes, and never more than the cell's own words."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ledger_assets.errors import SettingsError

from .conftest import Build, Built


def _purposes(built: Built) -> dict[str, dict[str, str]]:
    """Record id to purpose to state."""
    found: dict[str, dict[str, str]] = {}
    for record, purpose, state in (
        built.rows("consents").select("airtable_record_id", "purpose", "state").rows()
    ):
        found.setdefault(record, {})[purpose] = state
    return found


def test_a_text_gives_its_own_purpose_and_no_other(build: Build) -> None:
    """Commercial use is not public sharing; who said nothing gave nothing."""
    people = {
        "commercial": {"Name": "A", "Consent Status": "Consent for Commercial Use"},
        "public": {"Name": "B", "Consent Status": "Consent for Public Sharing"},
        "silent": {"Name": "C"},
        "anonymity": {"Name": "D", "Preferred Anonymity Level": "Full Name"},
    }
    assert list(_purposes(build({"Storytellers": people})).values()) == [
        {"commercial_use": "given"},
        {"public_sharing": "given"},
    ]


def test_two_cells_of_one_purpose_are_one_row_that_names_both_fields(build: Build) -> None:
    person = {
        "Name": "A",
        "Consent Status": "Consent for Commercial Use",
        "Preferences": "Commercial use allowed",
    }
    rows = build({"Storytellers": {"a": person}}).rows("consents")
    assert rows.select("purpose", "evidence").rows() == [("commercial_use", "Consent Status, Preferences")]


def test_a_withdrawal_outweighs_what_the_other_cell_gives(build: Build) -> None:
    person = {"Name": "A", "Consent Status": "Consent Withdrawn", "Preferences": "Commercial use allowed"}
    (purposes,) = _purposes(build({"Storytellers": {"a": person}})).values()
    assert set(purposes.values()) == {"withdrawn"}
    assert len(purposes) == 6


@pytest.mark.parametrize("text", ["consent for public sharing", "Full consent", "yes", " "])
def test_a_text_that_nobody_reviewed_gives_nothing_and_is_reported(build: Build, text: str) -> None:
    built = build({"Storytellers": {"a": {"Name": "A", "Consent Status": text}}})
    assert built.rows("consents").is_empty()
    told = built.ledger.reported.filter(pl.col("kind") == "unmapped", pl.col("table") == "consents")
    assert told.select("field").rows() == [("Consent Status",)]
    assert text.strip() == "" or text not in str(told.to_dicts())


@pytest.mark.parametrize(
    ("purpose", "state", "message"),
    [
        ("everything", "given", "purpose is one of"),
        ("public_sharing", "perhaps", "state one of"),
        ("all", "given", "gives every purpose at once"),
    ],
)
def test_a_mapping_that_gives_too_much_or_nonsense_is_refused(
    build: Build, tmp_path: Path, purpose: str, state: str, message: str
) -> None:
    for name in ("organisations", "projects", "locations"):
        (tmp_path / f"{name}.toml").write_text("")
    entry = f'[[entry]]\nname = "x"\npurpose = "{purpose}"\nstate = "{state}"\ntexts = ["Yes"]\n'
    (tmp_path / "consents.toml").write_text(entry)
    with pytest.raises(SettingsError, match=message):
        build({"Storytellers": {"a": {"Name": "A"}}}, more={"mappings": tmp_path})
