"""An interrupted export: when the next run goes on with it, and how everybody is told."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger_assets.checks.exports import table_metadata
from ledger_assets.errors import SourceError
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import Export, ExportManifest, parse_manifest
from ledger_assets.extract.run import export_base
from ledger_assets.progress import listen
from ledger_assets.storage import ObjectStore

from .conftest import TestClock
from .scripted import Answer, Asked, ScriptedAirtable, record

PAGES = 5
MINUTE = 60.0


@pytest.fixture
def airtable(scripted: ScriptedAirtable) -> ScriptedAirtable:
    """A table of eight pages and one that is finished long before."""
    scripted.add_table("Stories", [record(n) for n in range(730)])
    scripted.add_table("Quotes", [record(n) for n in range(30)])
    return scripted


class Watched(ObjectStore):
    """A store that tells when ``PAGES`` pages of Stories are kept, and when Quotes is finished."""

    def watch(self) -> Watched:
        self.there = {"tblStories": threading.Event(), "tblQuotes": threading.Event()}
        return self

    def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:
        super().put(key, data, create=create)
        if "/progress/tbl" in key:
            assert isinstance(data, bytes)
            progress = json.loads(data)
            if progress["finished"] or progress["pages"] == PAGES:
                self.there[key.rsplit("/", 1)[-1].removesuffix(".json")].set()


def interrupted(
    airtable: ScriptedAirtable,
    client: AirtableClient,
    store: ObjectStore,
    clock: TestClock,
    *,
    final: bool = False,
) -> float:
    """Export for two hours, then be refused in the middle of Stories; returns when its last page was kept."""
    watched = Watched(store._store, store.url).watch()
    begun = clock.now()

    def refuse(asked: Asked) -> Answer | None:
        if not asked.path.endswith("tblStories"):
            return None
        if len(airtable.pages("tblStories")) == 2:
            clock.time = begun + 120 * MINUTE
        if len(airtable.pages("tblStories")) <= PAGES:
            return None
        assert all(event.wait(60) for event in watched.there.values())
        return Answer("{}", 403)

    airtable.faults.append(refuse)
    with pytest.raises(SourceError, match="'Stories'"):
        export_base(client, watched, environment="staging", final=final)
    airtable.faults.clear()
    return clock.now()


def withdraw(airtable: ScriptedAirtable) -> str:
    """Change a record of the table that was finished before the interruption."""
    airtable.records["tblQuotes"][7] = record(7, fields='{"fldName":"withdrawn"}')
    return airtable.records["tblQuotes"][7]


def quotes(store: ObjectStore, manifest: ExportManifest) -> list[str]:
    return [one.raw for one in Export(store, manifest.export_id).records("tblQuotes")]


def test_it_is_gone_on_with_a_quarter_of_an_hour_after_its_last_progress(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, clock: TestClock
) -> None:
    """However long it took until then: the limit is how long nothing was read."""
    begun = clock.now()
    stopped = interrupted(airtable, client, store, clock)
    first = store.folders("exports")
    clock.sleep(14 * MINUTE)
    manifest = export_base(client, store, environment="staging")
    assert [manifest.export_id] == first
    assert len(airtable.pages("tblStories")) == 8 + 1, "the refused page alone is asked for twice"
    assert len(airtable.pages("tblQuotes")) == 1
    assert manifest.continued is not None
    assert abs(datetime.fromisoformat(manifest.continued).timestamp() - stopped) < 1
    assert abs(datetime.fromisoformat(manifest.started_at).timestamp() - begun) < 1
    assert len(airtable.asked) - 1 <= manifest.calls <= len(airtable.asked), "but the refused call at most"


@pytest.mark.parametrize(("minutes", "final"), [(16, False), (-16, False), (0, True)])
def test_what_was_changed_since_an_interruption_is_in_the_next_export(
    airtable: ScriptedAirtable,
    client: AirtableClient,
    store: ObjectStore,
    clock: TestClock,
    minutes: int,
    final: bool,
) -> None:
    """A consent withdrawn in between; the second scan of a final export reads ids and would not see it."""
    interrupted(airtable, client, store, clock, final=final)
    changed = withdraw(airtable)
    clock.time += minutes * MINUTE
    before = client.calls
    manifest = export_base(client, store, environment="staging", final=final)
    assert quotes(store, manifest)[7] == changed
    assert manifest.continued is None
    assert manifest.calls == client.calls - before
    left = {entry.key.split("/")[1] for entry in store.list("exports")}
    assert left == {manifest.export_id}, "nothing of the interrupted one stays"


def test_interrupted_twice_the_last_interruption_and_all_calls_are_told(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, clock: TestClock
) -> None:
    begun = clock.now()
    interrupted(airtable, client, store, clock)
    clock.sleep(10 * MINUTE)
    airtable.once("tblStories", Answer("{}", 403), skip=1)
    with pytest.raises(SourceError, match="'Stories'"):
        export_base(client, store, environment="staging")
    again = clock.now()
    clock.sleep(10 * MINUTE)
    manifest = export_base(client, store, environment="staging")
    assert manifest.continued is not None
    assert abs(datetime.fromisoformat(manifest.continued).timestamp() - again) < 1
    assert abs(datetime.fromisoformat(manifest.started_at).timestamp() - begun) < 1
    # Of each run that was refused, the metadata and the refused page may have come after its last progress.
    assert len(airtable.asked) - 4 <= manifest.calls <= len(airtable.asked)


def test_whoever_runs_it_is_told_from_when_it_goes_on(
    airtable: ScriptedAirtable,
    client: AirtableClient,
    store: ObjectStore,
    clock: TestClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    stopped = datetime.fromtimestamp(interrupted(airtable, client, store, clock), UTC)
    assert "continued" not in caplog.text
    told: list[tuple[str, str]] = []
    with listen(lambda stage, label, _done, _total: told.append((stage, label))):
        manifest = export_base(client, store, environment="staging")
    minutes = {f"{moment:%H:%M}" for moment in (stopped, stopped - timedelta(seconds=1))}
    (said,) = {label for stage, label in told if stage == "export" and label.startswith("continued")}
    assert said in {f"continued from {minute} UTC" for minute in minutes}
    assert f"export {manifest.export_id} {said}" in caplog.text


def test_a_manifest_of_before_continuations_were_told_is_read(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    manifest = export_base(client, store, environment="staging")
    document = json.loads(manifest.to_json())
    assert document.pop("continued") is None
    assert parse_manifest(json.dumps(document).encode()) == manifest


@pytest.mark.parametrize("content", [b"", b'{"base_id": "appScr', b"\x00" * 120, b"[]", b"{}"])
def test_an_export_whose_beginning_a_power_cut_has_garbled_is_none(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, clock: TestClock, content: bytes
) -> None:
    interrupted(airtable, client, store, clock)
    (begun,) = store.folders("exports")
    store.put(f"exports/{begun}/progress/begun.json", content)
    manifest = export_base(client, store, environment="staging")
    assert manifest.continued is None
    assert manifest.export_id != begun


def test_the_asset_tells_from_when_its_export_was_gone_on_with(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, clock: TestClock
) -> None:
    interrupted(airtable, client, store, clock)
    manifest = export_base(client, store, environment="staging")
    whole = export_base(client, store, environment="staging")
    assert manifest.continued is not None
    told = [table_metadata(one, one.tables[0])["continued"] for one in (whole, manifest)]
    assert told == ["no", manifest.continued]
