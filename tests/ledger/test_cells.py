"""What becomes of a cell: kept, emptied, or quarantined with its reason. L5, L6, L7, L10, L15, L16, L18,
L19."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger_assets.demo import schema
from ledger_assets.tables import SPECS, cells
from ledger_assets.tables.fields import Mapped

from .conftest import Build
from .exports import CREATED, rec

DAY = timedelta(days=1)
MODIFIED = "Airtable: Last modified time"
PLACES = {"Stories": ("Title", "stories", "title"), "Storytellers": ("Name", "storytellers", "name")}


def test_a_checkbox_that_is_absent_is_false(build: Build) -> None:
    """Airtable leaves an unticked box out: NULL would mean "unknown", and the predecessor made it true."""
    built = build({"Storytellers": {"a": {"Name": "A"}, "b": {"Name": "B", "YJ": True, "Website": True}}})
    rows = built.rows("storytellers").select("sensitive", "on_website", "done").rows()
    assert rows == [(False, False, False), (True, True, False)]


def test_a_flag_that_closes_stays_closed_when_its_cell_is_damaged(build: Build) -> None:
    built = build({"Storytellers": {"a": {"Name": "A", "YJ": {"error": "#ERROR!"}, "Website": "yes"}}})
    assert built.rows("storytellers").select("sensitive", "on_website").row(0) == (True, False)
    assert built.quarantined("YJ") == [(rec("a"), "expected true or false, found an error of Airtable's")]
    assert built.quarantined("Website") == [(rec("a"), "expected true or false, found a text")]


def test_an_option_that_nobody_declared_is_quarantined(build: Build) -> None:
    """Also one that differs from a declared one by case only: it never becomes the nearest (L16)."""
    built = build(
        {"Media": {"a": {"Type": "Interview"}, "b": {"Type": "interview"}, "c": {"Type": "Podcast"}}}
    )
    assert built.rows("interviews")["kind"].to_list() == ["interview", None, None]
    assert built.quarantined("Type") == [
        (rec("b"), "an option that is not declared"),
        (rec("c"), "an option that is not declared"),
    ]


def test_consent_is_kept_as_evidence_and_nothing_follows_from_it(build: Build) -> None:
    """Options that differ by case and commas stay apart (L16), and an unknown one opens nothing."""
    said = ["Consent for Public Sharing", "consent for public sharing", "Public, all uses", "Something new"]
    built = build({"Storytellers": {s: {"Name": s, "Consent Status": s} for s in said}})
    rows = built.rows("storytellers")
    assert rows["consent_status"].to_list() == said
    assert not [name for name in rows.columns if "public" in name or "sharing" in name or "privacy" in name]


def test_airtables_status_publishes_nothing(build: Build) -> None:
    """status and privacy are the defaults of the migration: no ledger column can set them."""
    rows = build({"Stories": {"a": {"Title": "T", "Status": "Published", "Permissions": "All"}}}).rows(
        "stories"
    )
    assert rows.select("source_status", "permissions").row(0) == ("Published", "All")
    assert not {"status", "privacy"} & set(rows.columns)


@pytest.mark.parametrize(
    ("table", "field", "value", "reason"),
    [
        ("Stories", "Story copy", 7, "expected a text, found a number"),
        ("Stories", "Story copy", ["a"], "expected a text, found a list of something else"),
        ("Stories", "Story copy", {"state": "generated"}, "expected a text, found an object"),
        ("Stories", "Story copy", "a\0b", "text that Postgres cannot hold (U+0000 or half a character)"),
        ("Stories", "Story copy", "a\ud800", "text that Postgres cannot hold (U+0000 or half a character)"),
        ("Stories", "Story ID", "7", "expected a number, found a text"),
        ("Stories", "Story ID", 7.5, "not a whole number that 64 bits hold"),
        ("Stories", "Story ID", 10**18, "not a whole number that 64 bits hold"),
        ("Stories", "Created", "2025-02-30", "not a date of the form YYYY-MM-DD"),
        ("Stories", "Created", "2025-02-03T00:00:00.000Z", "not a date of the form YYYY-MM-DD"),
        ("Stories", MODIFIED, "2025-02-03T04:05:06", "not a point in time"),
        ("Stories", MODIFIED, "2025-02-03T04:05:06.1234567Z", "not a point in time"),
        ("Stories", "Storytellers", rec("b"), "expected a list of record ids, found a text"),
        ("Stories", "Storytellers", [{"id": rec("b")}], "expected a list of record ids, found a list of"),
        ("Stories", "Storytellers", [rec("b"), None], "expected a list of record ids, found a list of"),
        ("Stories", "Storytellers", ["reconciled"], "expected a list of record ids, found a list of"),
        ("Storytellers", "Tag", ["a", {"name": "b"}], "in a list: expected a text, found an object"),
        ("Stories", "Story Image", ["attA"], "expected a list of attachments, found a list of something else"),
        ("Stories", "Story Image", [{"id": "att" + "A" * 14, "size": 1.5}], "an attachment whose size is no whole number"),
    ],
)  # fmt: skip
def test_a_cell_of_another_shape_is_quarantined_and_not_just_empty(
    build: Build, table: str, field: str, value: object, reason: str
) -> None:
    """L6: others make it NULL, cut it or round it, and say nothing."""
    title, target, column = PLACES[table]
    built = build({table: {"a": {title: "T", field: value}}})
    assert [(r, why.startswith(reason)) for r, why in built.quarantined(field)] == [(rec("a"), True)]
    assert built.rows(target)[column].to_list() == ["T"], "the record's other cells are kept"
    assert built.check(target, "accounted")


def test_one_damaged_cell_spoils_no_other_of_its_column(build: Build) -> None:
    built = build(
        {"Stories": {"a": {"Story copy": "one"}, "b": {"Story copy": 2}, "c": {"Story copy": "three"}}}
    )
    assert built.rows("stories")["copy"].to_list() == ["one", None, "three"]


def test_a_person_without_a_readable_name_makes_no_row_and_is_quarantined_whole(build: Build) -> None:
    built = build(
        {"Storytellers": {"a": {"Name": " \n", "Bio": "b"}, "b": {"Name": 5, "Phone Number": "+61"}}}
    )
    assert built.rows("storytellers").is_empty()
    assert built.rows("storyteller_contacts").is_empty()
    assert built.quarantined(None) == [
        (rec("a"), "Name has no usable value"),
        (rec("b"), "Name has no usable value"),
    ]
    assert built.quarantined("Name") == [], "one entry per record"
    assert built.check("storytellers", "accounted")


def test_an_emptied_cell_empties_its_column(build: Build) -> None:
    """L15: rows are whole, so what is gone from Airtable is gone here, and the hash says that the row
    changed."""
    before = build({"Storytellers": {"a": {"Name": "A", "Bio": "was here", "Done": True}}}).rows(
        "storytellers"
    )
    after = build({"Storytellers": {"a": {"Name": "A"}}}).rows("storytellers")
    assert after.select("bio", "done").row(0) == (None, False)
    assert before["id"].to_list() == after["id"].to_list()
    assert before["source_hash"].to_list() != after["source_hash"].to_list()


def test_two_fields_whose_names_fold_alike_are_two_columns(build: Build) -> None:
    """L7: Created and "Created At", "Video draft link ..." three times: nothing is folded into one name."""
    assert len({(d.table, d.field.lower().replace(" ", "_")) for d in _declared()}) == len(_declared())
    built = build({"Storytellers": {"a": {"Name": "A", "Project": "Lantern Journey"}, "b": {"Name": "a"}}})
    assert built.rows("storytellers")["name"].to_list() == ["A", "a"]


def _declared() -> list[Mapped]:
    return [d for spec in SPECS for d in spec.declares if isinstance(d, Mapped)]


def test_long_texts_are_untouched(build: Build) -> None:
    """L19: no length is guessed; stamps, Markdown, marks, no-break and zero-width characters stay."""
    odd = " [00:00:01] \\*said\\* ~~not~~ \u00a0\u200b\u2028e\u0301 \r\n\t"
    text = odd * 20_000
    built = build({"Media": {"a": {"Transcript": text}}, "Stories": {"s": {"Story Transcript": odd}}})
    assert built.rows("interviews")["transcript"].to_list() == [text]
    assert built.rows("stories")["transcript"].to_list() == [odd]


def test_time_zones_and_milliseconds_are_kept(build: Build) -> None:
    """L10."""
    times = {"z": "2025-02-03T23:30:00.123Z", "east": "2025-02-04T09:30:00.123+10:00"}
    built = build(
        {"Stories": {n: {"Title": n, "Airtable: Last modified time": t} for n, t in times.items()}},
        created={"z": "2025-01-31T23:59:59.999Z"},
    )
    instant = datetime(2025, 2, 3, 23, 30, 0, 123_000, tzinfo=UTC)
    assert built.rows("stories")["airtable_modified_at"].to_list() == [instant, instant]
    assert built.rows("stories")["airtable_created_at"][0] == datetime(
        2025, 1, 31, 23, 59, 59, 999_000, tzinfo=UTC
    )


def test_dates_are_dates_however_old(build: Build) -> None:
    days = ["2024-02-29", "0001-01-01", "1899-12-31"]
    built = build({"Stories": {d: {"Title": d, "Created": d} for d in days}})
    assert built.rows("stories")["recorded_on"].to_list() == [date.fromisoformat(d) for d in days]


def test_big_numbers_keep_every_digit(build: Build) -> None:
    """L10: through a float 9007199254740993 would be ...992."""
    built = build({"Stories": {"a": {"Story ID": 9007199254740993, "Title": "T"}}})
    assert built.rows("stories")["story_number"].to_list() == [9007199254740993]


def test_a_number_that_no_column_holds_is_quarantined(build: Build) -> None:
    field = schema.STORIES.field_id("Story ID")
    raw = f'{{"id": "{rec("a")}", "createdTime": "{CREATED}", "fields": {{"{field}": 1e400, "x": "kept"}}}}'
    built = build(raw={"Stories": [raw]})
    assert built.quarantined("Story ID") == [(rec("a"), "not a whole number that 64 bits hold")]


def test_a_record_with_only_computed_cells_is_blank_and_skipped_by_its_rule(build: Build) -> None:
    """Declared and counted, not dropped: Airbyte's filter loses such records in silence (L1)."""
    computed = {"Story ID": 4, "Airtable: Last modified time": CREATED}
    built = build({"Stories": {"a": computed, "b": {}, "c": {"CMS-B: Action": "only raw"}}})
    assert built.ledger.skipped.select("table", "record_id", "rule").rows() == [
        ("stories", rec("a"), "blank record"),
        ("stories", rec("b"), "blank record"),
    ]
    assert built.rows("stories")["airtable_record_id"].to_list() == [rec("c")]
    assert built.check("stories", "accounted")


def test_a_record_without_a_readable_creation_time_is_quarantined(build: Build) -> None:
    built = build({"Stories": {"a": {"Title": "T"}}}, created={"a": "yesterday"})
    assert built.quarantined(None) == [(rec("a"), "createdTime is not a point in time with its zone")]
    assert built.rows("stories").is_empty()


def test_a_record_that_two_pages_hold_counts_once(build: Build) -> None:
    """A scan that was begun anew repeats records: the first reading counts."""
    raw = [
        json.dumps({"id": rec("a"), "createdTime": CREATED, "fields": {"fldX": title}})
        for title in ("one", "two")
    ]
    built = build(raw={"Stories": raw}, page=1)
    assert built.rows("stories").height == 1
    assert built.check("stories", "accounted")


def test_no_frame_beside_the_rows_holds_a_cell(build: Build) -> None:
    """Findings are shown to people and logged: ids and reasons only."""
    secret = "sentinel-value"
    everything = {
        "Storytellers": {
            "a": {"Name": secret, "Organisation": secret, "YJ": secret, "Magic Link URL": secret}
        },
        "Stories": {"s": {"Title": secret, "Created": secret, "Storytellers": [secret], "Story ID": secret}},
        "Media": {"m": {"Type": secret, "Location": secret}},
    }
    built = build(everything)
    for frame in (built.ledger.quarantined, built.ledger.skipped, built.ledger.reported):
        assert secret not in repr(frame.rows())
    assert built.ledger.quarantined.height >= 5
    assert secret not in built.manifest.to_json().decode()


def test_a_magic_link_reaches_no_table(build: Build) -> None:
    """It opens the storyteller's page without a password: the raw records alone hold it."""
    built = build({"Storytellers": {"a": {"Name": "A", "Magic Link URL": "https://secret.invalid/x"}}})
    for table in built.manifest.tables:
        assert "secret.invalid" not in repr(built.rows(table.name).rows())


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
def test_trimming_takes_white_space_and_nothing_else(text: str) -> None:
    """The same 25 characters as the proof's SQL; zero-width and control characters are text."""
    made = pl.DataFrame({"x": [text]}).select(cells.trimmed("x")).item()
    core = text.strip(cells.WHITE_SPACE)
    assert made == (core or None)


@given(st.text(max_size=40))
def test_normalising_ignores_case_punctuation_and_white_space(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    noisy = " -- ".join(text.split(" ")) + " !"
    frame = pl.DataFrame({"x": [text, noisy, text.lower()]}).select(cells.plain("x")).to_series().to_list()
    assert frame[0] == frame[1]
    assert frame[0].lower() == frame[2].lower()


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-12 * 60, 14 * 60))
def test_any_instant_survives_its_zone(instant: datetime, offset: int) -> None:
    assume(datetime.min.replace(tzinfo=UTC) + DAY < instant < datetime.max.replace(tzinfo=UTC) - DAY)
    text = instant.astimezone(timezone(timedelta(minutes=offset))).isoformat(timespec="microseconds")
    assert pl.DataFrame({"x": [text]}).select(cells.moment("x")).item() == instant
