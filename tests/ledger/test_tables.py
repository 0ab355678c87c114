"""The target tables' own rules: mapping files, quotes, duplicates, files, contacts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ledger_assets.demo import schema
from ledger_assets.environment import SYNTHETIC_BASE_ID
from ledger_assets.errors import CheckFailed, SettingsError
from ledger_assets.extract.attachments import AttachmentEntry, AttachmentInventory
from ledger_assets.ids import row_id

from .conftest import Build
from .exports import rec

ORGANISATIONS = """
[[entry]]
name = "Shed"
kind = "community"
texts = ["The Shed", "the shed"]
[nothing]
texts = ["Freelancer"]
"""
PROJECTS = '[[entry]]\nname = "Radio"\norganisation = "Shed"\ntexts = ["Radio"]\n'
LOCATIONS = '[[entry]]\nname = "Athens"\nkind = "city"\ncountry = "GR"\ntexts = ["Athens"]\n'

Mappings = Callable[..., dict[str, Path]]


@pytest.fixture
def mappings(tmp_path: Path) -> Mappings:
    """A folder of mapping files."""

    def write(
        organisations: str = ORGANISATIONS,
        projects: str = PROJECTS,
        locations: str = LOCATIONS,
        consents: str = "",
    ) -> dict[str, Path]:
        for name, text in (
            ("organisations", organisations),
            ("projects", projects),
            ("locations", locations),
            ("consents", consents),
        ):
            (tmp_path / f"{name}.toml").write_text(text)
        return {"mappings": tmp_path}

    return write


def test_text_becomes_a_reference_by_the_reviewed_file_and_by_nothing_else(
    build: Build, mappings: Mappings
) -> None:
    """Two spellings are one organisation because a person said so; the third is kept, reported and not
    guessed."""
    texts = ["The Shed", "the shed", "The  Shed", "Freelancer"]
    people = {t: {"Name": t, "Organisation": t} for t in texts} | {"none": {"Name": "none"}}
    built = build({"Storytellers": people}, more=mappings())
    shed = row_id(SYNTHETIC_BASE_ID, "organisations", "Shed")
    rows = built.rows("storytellers")
    assert rows["organisation_id"].to_list() == [shed, shed, None, None, None]
    assert rows["organisation_text"].to_list() == [*texts, None], "kept exactly as delivered"
    assert built.reported("unmapped") == [rec("The  Shed")], "reviewed as meaning nothing is not unmapped"
    assert built.rows("organisations").select("id", "name", "kind").rows() == [(shed, "Shed", "community")]


def test_a_places_country_is_what_the_file_says(build: Build, mappings: Mappings) -> None:
    """The predecessor wrote Australia for every one."""
    built = build({"Media": {"m": {"Location": "Athens"}, "n": {"Location": "Darwin"}}}, more=mappings())
    assert built.rows("locations").select("name", "country").rows() == [("Athens", "GR")]
    assert built.rows("interviews")["location_text"].to_list() == ["Athens", "Darwin"]
    assert built.reported("unmapped") == [rec("n")]


def test_nothing_is_derived_that_no_cell_means(build: Build, mappings: Mappings) -> None:
    built = build({"Storytellers": {"a": {"Name": "A"}}}, more=mappings())
    assert [built.rows(t).height for t in ("organisations", "projects", "locations")] == [0, 0, 0]


def test_a_mentioned_project_brings_its_organisation(build: Build, mappings: Mappings) -> None:
    built = build({"Media": {"m": {"Project": "Radio"}}}, more=mappings())
    assert built.rows("projects")["organisation_id"].to_list() == built.rows("organisations")["id"].to_list()
    assert built.rows("organisations").height == 1


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("organisations", "[[entry]", "is not TOML"),
        ("organisations", '[[entry]]\nname = "A"\n', "[[entry]] number 1: kind is missing or empty"),
        ("organisations", '[[entry]]\nname = "A"\nkind = "other"\ncolour = "red"\n', "'colour' is not known"),
        ("organisations", '[[entry]]\nname = "A"\nkind = "other"\ntexts = "A"\n', "texts must be a list"),
        (
            "organisations",
            ORGANISATIONS.replace("Freelancer", "The Shed"),
            "text number 3 stands there twice",
        ),
        ("locations", '[[entry]]\nname = "A"\nkind = "town"\n', "country is missing or empty"),
        (
            "projects",
            PROJECTS.replace('"Shed"', '"Nobody"'),
            "names an organisation that organisations.toml lacks",
        ),
    ],
)
def test_a_faulty_mapping_file_stops_the_ledger_with_its_place(
    build: Build, mappings: Mappings, file: str, text: str, message: str
) -> None:
    people = {"a": {"Name": "A", "Project": "Radio", "Location": "Athens"}}
    with pytest.raises(SettingsError, match="LEDGER_MAPPINGS") as caught:
        build({"Storytellers": people}, more=mappings(**{file: text}))
    assert message in str(caught.value)
    assert "Freelancer" not in str(caught.value), "texts are people's cells"


def test_a_row_that_does_not_hold_its_model_stops_the_ledger_without_saying_the_value(
    build: Build, mappings: Mappings
) -> None:
    wrong = ORGANISATIONS.replace('"community"', '"sentinel-kind"')
    with pytest.raises(CheckFailed, match=r"ledger table organisations .*kind: isin") as caught:
        build(
            {"Storytellers": {"a": {"Name": "A", "Organisation": "The Shed"}}},
            more=mappings(organisations=wrong),
        )
    assert "sentinel-kind" not in str(caught.value)
    assert row_id(SYNTHETIC_BASE_ID, "organisations", "Shed") in str(caught.value)


SAID = "We came back; the river was HIGH, and nobody slept."


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("We came back; the river was HIGH, and nobody slept.", True),
        ("“the river was high — and nobody\nslept”", True),
        ("The river was low, and nobody slept.", False),
        ("...", False),
    ],
)
def test_a_quote_is_verbatim_when_its_words_stand_in_the_transcript(
    build: Build, quote: str, found: bool
) -> None:
    built = build(
        {
            "Media": {"m": {"Transcript": f"[00:00:01] {SAID} [00:00:09]"}},
            "Quotes": {"q": {"Quote Text": quote, "Transcript Reference": [rec("m")]}},
        }
    )
    assert built.rows("quotes")["occurs_verbatim"].to_list() == [found]
    assert built.rows("quotes")["quote"].to_list() == [quote]


def test_a_quote_without_any_transcript_says_neither(build: Build) -> None:
    """Of three interviews one transcript is enough; none is not "false"."""
    built = build(
        {
            "Media": {
                "m": {"Transcript": SAID},
                "n": {"Summary": "no transcript"},
                "o": {"Transcript": "other"},
            },
            "Quotes": {
                "none": {"Quote Text": SAID},
                "silent": {"Quote Text": SAID, "Transcript Reference": [rec("n")]},
                "second": {"Quote Text": SAID, "Transcript Reference": [rec("o"), rec("n"), rec("m")]},
            },
        }
    )
    assert built.rows("quotes")["occurs_verbatim"].to_list() == [None, None, True]


def test_a_quote_has_a_storyteller_only_when_nobody_else_is_possible(build: Build) -> None:
    """Two speakers, nobody named, a speaker without a row, or one interview of two without a speaker:
    NULL."""
    built = build({
        "Storytellers": {"a": {"Name": "A"}, "b": {"Name": "B"}},
        "Media": {
            "one": {"File Name": "1", "Storytellers": [rec("a")]},
            "again": {"File Name": "2", "Storytellers": [rec("a")]},
            "two": {"File Name": "3", "Storytellers": [rec("a"), rec("b")]},
            "nobody": {"File Name": "4"},
            "half": {"File Name": "5", "Storytellers": [rec("a"), rec("gone")]},
        },
        "Quotes": {
            name: {"Quote Text": name, "Transcript Reference": [rec(m) for m in media]}
            for name, media in {
                "q one": ["one"],
                "q same": ["one", "again"],
                "q two": ["two"],
                "q nobody": ["nobody"],
                "q half": ["half"],
                "q mixed": ["one", "nobody"],
                "q both": ["one", "two"],
                "q lost": ["one", "missing"],
            }.items()
        } | {"q none": {"Quote Text": "q none"}},
    })  # fmt: skip
    people = dict(built.rows("storytellers").select("id", "name").iter_rows())
    tellers = built.rows("quotes").select("quote", pl.col("storyteller_id").replace(people)).rows()
    assert [quote for quote, teller in tellers if teller == "A"] == ["q one", "q same"]
    assert {teller for _, teller in tellers} == {"A", None}
    assert built.reported("ambiguous_storyteller") == [rec("q two"), rec("q both")]


def test_people_of_one_name_are_proposed_and_never_merged(build: Build) -> None:
    names = {
        "a": "Zoë Redgum",
        "b": " zoë  redgum\n",
        "c": "Zoë-Redgum",
        "d": "Zoe Redgum",
        "e": "Rowan Ashgrove",
    }
    built = build({"Storytellers": {key: {"Name": name} for key, name in names.items()}})
    assert built.rows("storytellers").height == 5
    assert built.reported("duplicate") == [rec("a"), rec("b"), rec("c")]
    reason = built.ledger.reported.filter(pl.col("kind") == "duplicate")["reason"][0]
    assert all(rec(key) in reason for key in "abc")
    assert "redgum" not in reason.lower()


def test_contacts_stand_apart_from_the_person(build: Build) -> None:
    built = build(
        {
            "Storytellers": {
                "a": {"Name": "A", "Secure Contact Email": "a@example.org", "Phone Number": "+61400000000"},
                "b": {"Name": "B", "Phone Number": "+61400000001"},
                "c": {"Name": "C"},
            }
        }
    )
    contacts = built.rows("storyteller_contacts").join(
        built.rows("storytellers").select("id", "name"), left_on="storyteller_id", right_on="id"
    )
    assert contacts.select("name", "email", "phone").rows() == [
        ("A", "a@example.org", "+61400000000"),
        ("B", None, "+61400000001"),
    ]
    assert not {"email", "phone"} & set(built.rows("storytellers").columns)


def _attachment(name: str, size: int = 3) -> dict[str, object]:
    return {
        "id": "att" + name * 14, "url": "https://files.invalid/x", "filename": f"{name}/../x.jpg", "size": size,
        "type": "image/jpeg", "thumbnails": {"small": {"url": "https://files.invalid/s", "width": 1, "height": 1}},
    }  # fmt: skip


def test_every_use_of_a_file_is_a_row_and_a_missing_file_is_reported(build: Build) -> None:
    """The same file in two cells is two uses; what has no hash is kept, and a person hears of it."""
    entry = AttachmentEntry(
        "att" + "a" * 14, schema.STORYTELLERS.id, rec("p"), schema.STORYTELLERS.field_id("Signature"),
        "x.jpg", 3, "image/jpeg", "ab" * 32, "media/" + "ab" * 32,
    )  # fmt: skip
    built = build(
        {
            "Storytellers": {"p": {"Name": "P", "Signature": [_attachment("a"), _attachment("b")]}},
            "Stories": {"s": {"Title": "T", "Story Image": [_attachment("a")]}},
        },
        more={"inventory": AttachmentInventory("x", (entry,), 1)},
    )
    rows = built.rows("media_assets")
    assert rows.select("role", "position", "attachment_id", "sha256").rows() == [
        ("signature", 1, "att" + "a" * 14, "ab" * 32),
        ("signature", 2, "att" + "b" * 14, None),
        ("story_image", 1, "att" + "a" * 14, None),
    ]
    assert rows["file_name"][0] == "a/../x.jpg", "as delivered; the object's key is made of the hash"
    assert rows["object_key"].to_list() == ["media/" + "ab" * 32, None, None]
    owners = rows.select(pl.col("storyteller_id").is_null(), pl.col("story_id").is_null()).rows()
    assert owners == [(False, True), (False, True), (True, False)]
    assert built.reported("missing_file") == [rec("p"), rec("s")]
    assert "files.invalid" not in repr(rows.rows()), "addresses die within two hours: none is kept"


def test_an_attachment_that_stands_twice_in_a_cell_is_one_row_and_one_entry(build: Build) -> None:
    built = build({"Stories": {"s": {"Title": "T", "Story Image": [_attachment("a"), _attachment("a")]}}})
    assert built.rows("media_assets").height == 1
    assert len(built.quarantined("Story Image")) == 1
