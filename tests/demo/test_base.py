"""The synthetic base: the shapes and faults of the real one, the same from the same seed, any size."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyairtable
import pytest

from ledger_assets.demo import schema
from ledger_assets.demo.base import block_counts, create_base
from ledger_assets.demo.basefile import BaseFile
from ledger_assets.demo.draft import BLOCK_RECORDS
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.errors import SettingsError

Records = dict[str, list[dict[str, Any]]]


def read(server: LocalAirtable) -> Records:
    """Every record of a base, by table name, cells by field name."""
    base = pyairtable.Api(server.api_key, endpoint_url=server.url).base(server.base_id)
    return {table.name: [dict(record) for record in table.all()] for table in base.tables()}


def contents(path: Path) -> list[Any]:
    file = BaseFile(path)
    try:
        tables = ("meta", "records", "comments", "attachments")
        return [file.db.execute(f"select * from {table} order by 1").fetchall() for table in tables]
    finally:
        file.close()


@pytest.mark.parametrize("shape", ["empathy_ledger", "any_base"])
def test_the_same_seed_makes_the_same_base_and_another_seed_another(tmp_path: Path, shape: str) -> None:
    for name, seed in (("one", 7), ("again", 7), ("other", 8)):
        create_base(tmp_path / name, seed=seed, scale=300, shape=shape)
    assert contents(tmp_path / "one") == contents(tmp_path / "again")
    assert contents(tmp_path / "one")[1] != contents(tmp_path / "other")[1]


def test_the_default_base_has_the_real_sizes_and_cardinalities(server: LocalAirtable) -> None:
    records = read(server)
    assert {name: len(rows) for name, rows in records.items()} == {
        "Stories": 39,
        "Storytellers": 187,
        "Media": 190,
        "Themes": 839,
        "Quotes": 1035,
    }

    def linked(table: str, field: str) -> dict[int, int]:
        return dict(Counter(len(record["fields"].get(field, [])) for record in records[table]))

    assert linked("Stories", "Storytellers") == {1: 36, 2: 2, 0: 1}
    assert linked("Media", "Storytellers") == {1: 182, 2: 1, 0: 7}
    assert linked("Quotes", "Transcript Reference") == {1: 989, 2: 10, 0: 36}
    assert linked("Themes", "Related Media")[0] == 28
    assert linked("Storytellers", "Media")[0] == 10
    assert sum("Consent Status" in record["fields"] for record in records["Storytellers"]) == 54
    assert sum("Secure Contact Email" in record["fields"] for record in records["Storytellers"]) == 23


def test_the_faults_of_the_real_base_are_there(server: LocalAirtable) -> None:
    records = read(server)
    people = [record["fields"] for record in records["Storytellers"]]
    names = [fields["Name"] for fields in people]
    assert any(name != name.strip() for name in names)
    assert any(" & " in name for name in names)
    assert any(not name.isascii() for name in names)
    normalised = Counter(" ".join(name.split()).casefold() for name in names)
    assert sum(count == 2 for count in normalised.values()) >= 5
    assert {"Spain", "Tennent Creek"} <= {fields.get("Location") for fields in people}
    assert "Tennant Creek" in {record["fields"].get("Location") for record in records["Media"]}
    assert {"Freelancer", "Community Elder"} <= {fields.get("Organisation") for fields in people}
    assert all(fields["YJ"] is True for fields in people if "YJ" in fields)
    assert any("YJ" not in fields for fields in people)
    blank = [record["fields"] for record in records["Stories"] if "Title" not in record["fields"]]
    assert [set(fields) for fields in blank] == [{"Story ID", "Airtable: Last modified time"}]
    assert any(None in record["fields"].get("YJ (from Storytellers)", []) for record in records["Media"])
    assert any(fields.get("Location Rollup") == [] for fields in people)
    months = Counter(record["createdTime"][:7] for rows in records.values() for record in rows)
    assert {"2025-01", "2025-02", "2025-03", "2025-04", "2025-05"} < set(months)
    assert {month for month in months if month < "2025"}
    assert not any(month > "2025-05" for month in months)


def test_attachments_are_221_files_of_which_eight_are_shared(server: LocalAirtable) -> None:
    records = read(server)
    own = [("Storytellers", f) for f in ("Consent Form Photo", "Signature", "File Profile Image")]
    cells = [
        file
        for table, field in (*own, ("Stories", "Story Image"))
        for record in records[table]
        for file in record["fields"].get(field, [])
    ]
    uses = Counter(file["id"] for file in cells)
    assert (len(cells), len(uses)) == (232, 221)
    assert sorted(count for count in uses.values() if count > 1) == [2, 2, 2, 2, 2, 3, 3, 3]
    names = Counter(file["filename"] for file in {file["id"]: file for file in cells}.values())
    assert any(count > 1 for count in names.values())
    assert any(set(name) & set("#?&%:/") for name in names)


@pytest.mark.parametrize("shape", ["empathy_ledger", "any_base"])
def test_links_are_symmetric_and_derived_cells_follow_from_them(
    serve: Callable[..., LocalAirtable], shape: str
) -> None:
    """Recomputed here on its own from the metadata, as the proof does; only error cells are left out."""
    server = serve(shape)
    base = pyairtable.Api(server.api_key, endpoint_url=server.url, use_field_ids=True).base(server.base_id)
    tables = base.schema().tables
    cells = {r["id"]: r["fields"] for table in tables for r in base.table(table.id).all()}
    owner = {r["id"]: table.id for table in tables for r in base.table(table.id).all(fields=[])}
    checked = Counter[str]()
    for table in tables:
        document = json.loads(table.model_dump_json(by_alias=True))
        for field in document["fields"]:
            options = field.get("options") or {}
            for record_id in (r for r, t in owner.items() if t == table.id):
                value = cells[record_id].get(field["id"])
                if field["type"] == "multipleRecordLinks" and options.get("inverseLinkFieldId"):
                    for linked in value or []:
                        assert record_id in cells[linked][options["inverseLinkFieldId"]]
                        checked["link"] += 1
                elif field["type"] == "count":
                    assert value == len(cells[record_id].get(options["recordLinkFieldId"], []))
                    checked["count"] += 1
                elif field["type"] in {"multipleLookupValues", "rollup"} and options.get("isValid"):
                    links = cells[record_id].get(options["recordLinkFieldId"], [])
                    if any(linked not in cells for linked in links):
                        continue
                    expected: list[Any] = []
                    for linked in links:
                        found = cells[linked].get(options["fieldIdInLinkedTable"])
                        expected += found if isinstance(found, list) and found else [found or None]
                    if field["type"] == "multipleLookupValues":
                        assert without_urls(value or []) == without_urls(expected), field["name"]
                    elif isinstance(value, list):
                        assert set(map(str, value)) == set(map(str, expected)) - {"None"}, field["name"]
                    checked[field["type"]] += 1
    assert all(checked[kind] > 50 for kind in ("link", "count", "multipleLookupValues", "rollup")), checked


def without_urls(value: Any) -> Any:
    """Attachments' addresses differ from answer to answer."""
    if isinstance(value, list):
        return [without_urls(item) for item in value]
    if isinstance(value, dict):
        return {k: without_urls(v) for k, v in value.items() if k not in ("url", "thumbnails")}
    return 0 if value is None else value


@pytest.mark.parametrize("scale", [1, 7, 100, 2290, 2300, 5000])
def test_any_size_is_made_exactly(tmp_path: Path, scale: int) -> None:
    create_base(tmp_path / "base", scale=scale)
    file = BaseFile(tmp_path / "base")
    assert file.one("select count(*) from records") == scale
    file.close()
    assert sum(sum(counts.values()) for counts in block_counts(scale)) == scale


def test_a_large_base_needs_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    def peak(blocks: int) -> int:
        tracemalloc.start()
        try:
            create_base(tmp_path / "base", scale=blocks * BLOCK_RECORDS)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(9) < 1.2 * peak(3)


def test_a_scale_or_shape_that_makes_no_base_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--scale"):
        create_base(tmp_path / "base", scale=0)
    with pytest.raises(SettingsError, match="shape"):
        create_base(tmp_path / "base", shape="other")
    assert not (tmp_path / "base").exists()


def test_the_schema_names_the_five_tables() -> None:
    assert [table.name for table in schema.TABLES] == ["Stories", "Storytellers", "Media", "Themes", "Quotes"]
    ids = [table.field_id(f.name) for table in schema.TABLES for f in table.fields]
    assert len(set(ids)) == len(ids)
    assert {len(i) for i in ids} == {17}
