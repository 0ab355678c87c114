"""A base of another design than the last export's: refused before anything is frozen; later the freeze ends in order."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from json import dumps, loads
from pathlib import Path
from typing import Any

import pytest

from ledger_assets import connections
from ledger_assets.cutover import steps
from ledger_assets.cutover.design import assert_design
from ledger_assets.cutover.fetch import fetch
from ledger_assets.demo import schema
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Settings
from ledger_assets.errors import CheckFailed, TargetError
from ledger_assets.extract import pinned
from ledger_assets.extract.responses import Subject
from ledger_assets.extract.run import export_base
from ledger_assets.tables import SPECS

from .conftest import Night, staging_of
from .played import a_night, play

Tables = dict[str, dict[str, Any]]
Change = Callable[[Tables], object]
"""What somebody does to the base's design: its tables by name, as the metadata tells them."""
DECLARE = "declare it in ledger_assets/tables (RawOnly is enough; a whole table: raw_only.py)"
PUT_BACK = "put it back in Airtable, or take its declaration away"
ACCEPT = "look at what its cells hold now, then: ledger-assets inventory staging --accept"
LOOK = "look at what that means for the tables"


def new_field(tables: Tables) -> None:
    tables["Stories"]["fields"].append({"id": "fldNewOfThisTest1", "name": "Mood", "type": "singleLineText"})


def no_field(tables: Tables) -> None:
    tables["Storytellers"]["fields"] = [f for f in tables["Storytellers"]["fields"] if f["name"] != "Role"]


def another_type(tables: Tables) -> None:
    field(tables, "Storytellers", "Role")["type"] = "number"


def another_name(tables: Tables) -> None:
    field(tables, "Storytellers", "Role")["name"] = "Part"


def fewer_options(tables: Tables) -> None:
    field(tables, "Storytellers", "Project")["options"]["choices"].pop()


def new_table(tables: Tables) -> None:
    tables["Storytellers"] |= {"id": "tblNewOfThisTest1", "name": "Events"}


def new_option(tables: Tables) -> None:
    field(tables, "Storytellers", "Project")["options"]["choices"].append({"id": "selNew", "name": "New"})


def field(tables: Tables, table: str, name: str) -> dict[str, Any]:
    return next(f for f in tables[table]["fields"] if f["name"] == name)


@pytest.mark.parametrize(
    ("change", "found", "remedy"),
    [
        (new_field, "field 'Mood' (singleLineText) of 'Stories' is declared by no table module", DECLARE),
        (no_field, "field 'Role' of table 'Storytellers' is not in the base", PUT_BACK),
        (another_type, "field 'Role' of table 'Storytellers' was singleLineText and is number", ACCEPT),
        (another_name, "field 'Role' of table 'Storytellers' was renamed since the last export", LOOK),
        (
            fewer_options,
            "the options of field 'Project' of table 'Storytellers' were changed since the last export",
            LOOK,
        ),
        (
            new_table,
            "table 'Storytellers' is not in the base, or the token may not see it (and 1 more)",
            PUT_BACK,
        ),
    ],
)
def test_a_design_that_would_stop_the_final_sync_is_refused_by_its_table_and_field(
    airtable: LocalAirtable, tmp_path: Path, change: Change, found: str, remedy: str
) -> None:
    settings = exported(airtable, tmp_path)
    with connections.airtable_client(settings) as client:
        pinned.write(settings.pin_folder, settings.airtable.base_id, client.metadata())
    designed(airtable, settings, change)
    with pytest.raises(TargetError) as refused:
        assert_design(settings)
    assert str(refused.value) == f"cut-over refused: {found}: {remedy}, then: ledger-assets export staging"


@pytest.mark.parametrize("change", [lambda _: None, new_option], ids=["as it was", "an option more"])
def test_a_design_that_the_final_sync_takes_costs_one_call(
    airtable: LocalAirtable, tmp_path: Path, change: Change
) -> None:
    settings = exported(airtable, tmp_path)
    designed(airtable, settings, change)
    asked = len(airtable.requests)
    assert_design(settings)
    assert len(airtable.requests) == asked + 1


def test_before_any_export_only_what_is_declared_counts(airtable: LocalAirtable, tmp_path: Path) -> None:
    settings = staging_of(airtable, tmp_path)
    designed(airtable, settings, another_type)
    assert_design(settings)
    designed(airtable, settings, new_field)
    with pytest.raises(TargetError, match="field 'Mood'"):
        assert_design(settings)


def exported(airtable: LocalAirtable, folder: Path) -> Settings:
    """Settings whose base has been exported."""
    settings = staging_of(airtable, folder)
    with connections.airtable_client(settings) as client:
        export_base(client, connections.object_store(settings), environment="staging")
    return settings


def designed(airtable: LocalAirtable, settings: Settings, change: Change) -> None:
    """The base's design as it is asked for next."""
    with connections.airtable_client(settings) as client:
        document = loads(client.metadata())
    change({table["name"]: table for table in document["tables"]})
    airtable.faults.add("/meta/bases", 200, dumps(document))


def test_a_field_that_is_new_after_the_gate_ends_the_freeze_and_before_it_nothing_is_touched(
    night: Night,
) -> None:
    ours = a_night(night.settings)
    play(ours, until="freeze")
    subject = Subject("a field", "schema.bases:write")
    path = f"meta/bases/{night.settings.airtable.base_id}/tables/{schema.STORIES.id}/fields"
    with connections.airtable_client(night.settings) as client:
        body = {"name": "Mood", "type": "singleLineText"}
        client.call("POST", path, subject, loads, body)
    with pytest.raises(
        CheckFailed,
        match=rf"^sync: .*'Mood'.* of 'Stories' is declared by no table module.*{re.escape(DECLARE)}\. "
        "Nothing was loaded; writing opens by itself",
    ):
        steps.sync(ours, lambda: fetch(night.settings, ours.store, SPECS).brought.export.export_id)
    assert night.stands() == ("frozen", "lease", "airtable")

    assert_refused(night.cut_over())  # in the run that ended what was left of the night
    assert night.stands() == ("abandoned", "none", "airtable")
    events = night.query("select action, outcome from migration.events order by event_id")
    assert events == [
        ("freeze", "begun"),
        ("freeze", "done"),
        ("cutover_freeze", "done"),
        ("cutover_sync", "failed"),
        ("thaw", "done"),
        ("cutover", "failed"),
    ]

    assert_refused(night.cut_over())  # before any run
    assert night.query("select action, outcome from migration.events order by event_id") == events
    assert night.query("select count(*) from migration.cutovers") == [(1,)]


def assert_refused(done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        r"ledger-assets: cut-over refused: field 'Mood' \(singleLineText\) of 'Stories' is declared by no table module: "
        r"declare it .*, then: ledger-assets export production\n",
        done.stderr,
    )
