"""Whom to call: the file's form, and what the public may read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ledger_assets.announce.contacts import EXAMPLE, contacts_file, read_contacts
from ledger_assets.errors import SettingsError

TEXT = EXAMPLE.read_text()


def written(folder: Path, text: str) -> Path:
    path = folder / "contacts.toml"
    path.write_text(text)
    return path


def test_the_shipped_example_is_right_and_names_everybody_of_the_roadmap() -> None:
    found = read_contacts(EXAMPLE)
    assert [one.role for one in found.technical] == ["Database Admin", "Backend Lead", "DevOps"]
    assert [one.role for one in found.business] == ["Product Manager", "Community Manager", "Support Lead"]
    assert [one.contact.role for one in found.escalation] == [
        "Technical team",
        "CTO",
        "Emergency vendor support",
    ]


def test_the_public_reads_the_business_team_alone_and_of_the_others_their_role() -> None:
    found = read_contacts(EXAMPLE)
    assert {one.role for one in found.public} == {"Product Manager", "Community Manager", "Support Lead"}
    assert "Database Admin" in found.behind
    assert not re.search(r"\d{4}|@|Robin|Lee", found.behind)


def test_whoever_wants_to_be_public_is(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT.replace('name = "Sam Example"', 'name = "Sam Example"\npublic = true'))
    assert "Sam Example" in {one.name for one in read_contacts(path).public}


FAULTS = {
    "no TOML": ("platform =", "is not TOML (at "),
    "nothing": ("", "platform is missing"),
    "no team": (TEXT.replace("[technical.", "[other."), "'other' is not known here"),
    "a role too few": (TEXT.replace("[technical.devops]", "[technical.dev]"), "technical.devops is missing"),
    "a role too many": (TEXT + '\n[business.boss]\nname = "B"\nphone = "1234"\n', "business.boss is not known"),
    "a field too many": (TEXT.replace("phone = ", "mobile = ", 1), "technical.database_admin.mobile is not known"),
    "unreachable": (TEXT.replace('phone = "+61 7 5550 0102"\n', ""), "technical.backend_lead cannot be reached"),
    "no name": (TEXT.replace('name = "Jo Example"\n', ""), "business.product_manager.name is missing"),
    "empty name": (TEXT.replace('"Jo Example"', '" "'), "business.product_manager.name is not a text"),
    "a number for a name": (TEXT.replace('"Jo Example"', "7"), "business.product_manager.name is not a text"),
    "two lines": (TEXT.replace('"Jo Example"', '"Jo\\nExample"'), "product_manager.name is not one line"),
    "no address": (TEXT.replace("product@ledger.example.org", "at the office"), "product_manager.email is not an e-mail"),
    "no number": (TEXT.replace("+61 7 5550 0103", "ask around"), "technical.devops.phone is not a telephone number"),
    "public perhaps": (TEXT.replace('name = "Jo', 'public = "yes"\nname = "Jo'), "product_manager.public is neither"),
    "a page without https": (TEXT.replace("https://status", "http://status"), "status_page is not the address"),
    "another order": (
        TEXT.replace("[escalation.cto]", "[escalation.x]").replace("[escalation.vendor]", "[escalation.cto]").replace(
            "[escalation.x]", "[escalation.vendor]"),
        "must stand in the order technical_team, cto, vendor",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_one_line_that_names_its_place(tmp_path: Path, case: str) -> None:
    text, words = FAULTS[case]
    with pytest.raises(SettingsError) as caught:
        read_contacts(written(tmp_path, text))
    lines = str(caught.value).splitlines()
    assert any(words in line for line in lines), lines
    assert all(line.startswith("LEDGER_CONTACTS: contacts.toml") for line in lines)


def test_every_fault_has_a_line_of_its_own(tmp_path: Path) -> None:
    text = (
        TEXT.replace('"Jo Example"', '""')
        .replace("+61 7 5550 0103", "x")
        .replace('platform = "The', 'platfrom = "The')
    )
    with pytest.raises(SettingsError) as caught:
        read_contacts(written(tmp_path, text))
    assert len(str(caught.value).splitlines()) == 4


def test_no_fault_shows_a_number_or_an_address(tmp_path: Path) -> None:
    text = TEXT.replace("support@ledger.example.org", "support@ledger@example.org").replace(
        '"Jo Example"', "5"
    )
    with pytest.raises(SettingsError) as caught:
        read_contacts(written(tmp_path, text))
    assert "@" not in str(caught.value)
    assert "Example" not in str(caught.value)


def test_a_real_production_without_contacts_is_told_what_to_do_and_the_synthetic_world_has_the_example() -> (
    None
):
    assert contacts_file(synthetic=True, environ={}) == EXAMPLE
    with pytest.raises(SettingsError, match="LEDGER_CONTACTS is not set: copy"):
        contacts_file(synthetic=False, environ={})
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_contacts(contacts_file(synthetic=False, environ={"LEDGER_CONTACTS": "/missing/contacts.toml"}))
