"""A whole export against a scripted Airtable: what ends up in the store, and what every fault leaves there."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from ledger_assets.errors import CheckFailed, LedgerError, SourceError, StoreError
from ledger_assets.extract.client import LONGEST_URL, AirtableClient
from ledger_assets.extract.export import Export, list_exports
from ledger_assets.extract.inventory import WEBHOOK_CALLS
from ledger_assets.extract.metadata import parse_metadata
from ledger_assets.extract.run import export_base
from ledger_assets.extract.unfinished import Begun, begin, timestamp
from ledger_assets.storage import ObjectStore

from .conftest import NewClient, TestClock
from .scripted import BASE, KEY, Answer, Asked, ScriptedAirtable, record

RECORDS = 730


@pytest.fixture
def airtable(scripted: ScriptedAirtable) -> ScriptedAirtable:
    """Three tables: eight pages, one page, none."""
    scripted.add_table("Stories", [record(n) for n in range(RECORDS)])
    scripted.add_table("Quotes", [record(n) for n in range(30)])
    scripted.add_table("Empty", [])
    return scripted


def texts(store: ObjectStore, table_id: str = "tblStories") -> list[str]:
    """The records of the only complete export."""
    (export_id,) = list_exports(store)
    return [one.raw for one in Export(store, export_id).records(table_id)]


def export(client: AirtableClient, store: ObjectStore, **options: Any) -> Any:
    return export_base(client, store, environment="staging", **options)


def test_everything_is_kept_exactly_with_as_few_calls_as_possible(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    """L4 (a cap per table) and L12 (createdTime not kept) are losses of other tools."""
    manifest = export(client, store)
    assert texts(store) == airtable.records["tblStories"]
    assert {t.id: (t.records, t.pages) for t in manifest.tables} == {
        "tblStories": (RECORDS, 8),
        "tblQuotes": (30, 1),
        "tblEmpty": (0, 1),
    }
    assert manifest.calls == client.calls == len(airtable.asked) == 8 + 1 + 1 + 2 + WEBHOOK_CALLS
    kept = Export(store, manifest.export_id)
    assert [t.name for t in kept.metadata.tables] == ["Stories", "Quotes", "Empty"]
    assert {one.created_time for one in kept.records("tblQuotes")} == {
        json.loads(text)["createdTime"] for text in airtable.records["tblQuotes"]
    }
    assert kept.manifest == manifest
    assert manifest.metadata_sha256 == hashlib.sha256(kept.metadata_text.encode()).hexdigest()


def test_no_view_no_cap_and_field_ids(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    """A view and maxRecords leave records out without a word; names can collide, ids cannot (L7)."""
    export(client, store)
    for asked in airtable.pages("tblStories"):
        assert {"view", "maxRecords", "fields[]", "filterByFormula"}.isdisjoint(asked.query)
        assert asked.query["returnFieldsByFieldId"] == ["1"]


def test_records_without_cells_and_cells_of_every_shape_are_kept(
    scripted: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    """L1: Airbyte drops empty records; L2: error cells; L8 and L9: objects and unknown types stop whole
    bases.
    """
    odd = [
        "{}",
        '{"fldA":{"error":"#ERROR!"},"fldB":[{"specialValue":"NaN"},null],"fldC":{"text":"1","type":"ean8"}}',
        '{"fldA":{"state":"error","isStale":false,"value":null},"fldB":{"label":"x","url":null}}',
        '{"fldNew":{"of":["a","type"],"nobody":"knows"},"fldN":1e400,"fldN":1.0,"fldT":"\\u0000\\ud800"}',
        '{"fldL":["rec00000000000001","rec00000000000002"]}',
    ]
    fields = [
        {"id": "fldA", "name": "A", "type": "formula", "options": {"isValid": False, "result": None}},
        {"id": "fldB", "name": "B", "type": "somethingNewOf2027"},
        {
            "id": "fldL",
            "name": "L",
            "type": "multipleRecordLinks",
            "options": {"prefersSingleRecordLink": True},
        },
    ]
    table_id = scripted.add_table("Odd", [record(n, fields=f) for n, f in enumerate(odd)], fields)
    export(client, store)
    assert texts(store, table_id) == scripted.records[table_id]


def test_comments_are_kept_and_asked_for_only_where_there_are_any(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    """L17: nearly every tool never reads comments."""
    airtable.records["tblStories"][150] = record(150, comments=2)
    airtable.comments["rec00000000000150"] = ['{"id":"com1", "text":"\\u00e9"}', '{"id":"com2"}']
    manifest = export(client, store)
    lines = list(Export(store, manifest.export_id).comments("tblStories"))
    assert lines == [
        '{"record_id":"rec00000000000150","comment":{"id":"com1", "text":"\\u00e9"}}',
        '{"record_id":"rec00000000000150","comment":{"id":"com2"}}',
    ]
    assert [t.comments for t in manifest.tables] == [2, 0, 0]
    assert manifest.calls == 8 + 1 + 1 + 2 + WEBHOOK_CALLS + 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer('{"error":"busy"}', 503),
        Answer("<html>bad gateway</html>", 502),
        Answer('{"records":[{"id":"rec1","createdTime":"x","fields":{}}', promised=500),
        Answer('{"records":[{"id":"rec1","createdTime":"x","fields":{}}'),
        Answer(b"\xff\xfe\x00garbage"),
        Answer(""),
    ],
    ids=["503", "502", "connection broken off", "body cut off", "garbage", "empty"],
)
def test_a_fault_that_passes_changes_nothing(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, clock: TestClock, answer: Answer
) -> None:
    airtable.once("tblStories", answer, times=3, skip=2)
    airtable.once("meta/", answer)
    export(client, store)
    assert texts(store) == airtable.records["tblStories"]
    assert clock.slept.count(1.0) == 2
    assert {2.0, 4.0} < set(clock.slept)


def test_an_answer_that_does_not_come_is_given_up_and_asked_for_again(
    airtable: ScriptedAirtable, new_client: NewClient, store: ObjectStore
) -> None:
    answered = threading.Event()

    def hang(asked: Asked) -> None:
        if len(airtable.pages("tblStories")) == 3 and asked.path.endswith("tblStories"):
            answered.wait(60)

    airtable.faults.append(hang)
    manifest = export(new_client(timeout=0.2), store)
    answered.set()
    assert texts(store) == airtable.records["tblStories"]
    assert manifest.calls > 8 + 1 + 1 + 2


def test_a_fault_that_stays_ends_the_export_after_a_bounded_number_of_attempts(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    airtable.once("tblStories", Answer("", 500), times=1000, skip=3)
    with pytest.raises(
        SourceError, match=r"table 'Stories' \(tblStories\): Airtable answered 500; tried 8 times"
    ):
        export(client, store)
    assert list_exports(store) == []
    assert len(airtable.pages("tblStories")) == 3 + 8


def test_the_penalty_of_a_rate_limit_is_waited_out(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, clock: TestClock
) -> None:
    """Asking inside the penalty starts it anew: others do, and give up after 3.3 s."""
    limit = Answer('{"errors":[{"error":"RATE_LIMIT_REACHED","message":"slow"}]}', 429)
    airtable.once("tblQuotes", limit)
    started = clock.now()
    export(client, store)
    assert clock.now() - started >= 30.0
    assert len(airtable.pages("tblQuotes")) == 2
    assert client.calls == len(airtable.asked)


def test_a_rate_limit_without_end_names_the_other_program(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    airtable.once("", Answer('{"errors":[{"error":"RATE_LIMIT_REACHED"}]}', 429), times=1000)
    with pytest.raises(SourceError, match=r"another program uses this base's requests; tried 20 times"):
        export(client, store)


def test_the_months_calls_used_up_stops_at_once(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, clock: TestClock
) -> None:
    """It is a 429 too, and waiting for it would take until the end of the month."""
    body = '{"errors":[{"error":"PUBLIC_API_BILLING_LIMIT_EXCEEDED","message":"upgrade"}]}'
    airtable.once("tblStories", Answer(body, 429), times=1000, skip=1)
    with pytest.raises(
        SourceError, match=r"'Stories'.*PUBLIC_API_BILLING_LIMIT_EXCEEDED.*this month are used up"
    ):
        export(client, store)
    assert len(airtable.pages("tblStories")) == 2
    assert max(clock.slept, default=0.0) < 1.0
    assert list_exports(store) == []


@pytest.mark.parametrize("status", [403, 404])
def test_a_table_that_is_refused_stops_the_export_with_its_name(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, status: int
) -> None:
    body = '{"error":{"type":"INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND","message":"secret"}}'
    airtable.once("tblQuotes", Answer(body, status), times=1000)
    with pytest.raises(
        SourceError, match=rf"table 'Quotes' \(tblQuotes\) cannot be read: Airtable answered {status}"
    ):
        export(client, store)
    assert list_exports(store) == []


def test_refused_comments_name_the_missing_scope(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    airtable.records["tblStories"][5] = record(5, comments=1)
    airtable.once("/comments", Answer("{}", 403))
    with pytest.raises(SourceError, match=r"rec00000000000005 in table 'Stories'.*data\.recordComments:read"):
        export(client, store)


def test_a_wrong_token_names_its_variable_and_shows_it_nowhere(
    airtable: ScriptedAirtable, new_client: NewClient, store: ObjectStore
) -> None:
    with pytest.raises(SourceError, match=r"^AIRTABLE_API_KEY was refused by Airtable") as caught:
        export(new_client(key="patWrongSentinel"), store)
    assert "Sentinel" not in f"{caught.value}{caught.value!r}"


def test_nothing_is_guessed_from_an_answer_of_another_kind(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    """A redirect would carry the token elsewhere; a 422 that is no lost iterator is not asked again."""
    airtable.once("tblQuotes", Answer("", 302, headers={"Location": f"{airtable.url}/v0/elsewhere"}))
    with pytest.raises(SourceError, match=r"table 'Quotes'.*answered 302"):
        export(client, store)
    assert not any("elsewhere" in asked.path for asked in airtable.asked)
    airtable.once("tblQuotes", Answer('{"error":{"type":"UNKNOWN_FIELD_NAME"}}', 422))
    with pytest.raises(SourceError, match=r"422 UNKNOWN_FIELD_NAME"):
        export(client, store)


@pytest.mark.parametrize("code", ["LIST_RECORDS_ITERATOR_NOT_AVAILABLE", "INVALID_OFFSET_VALUE"])
def test_a_lost_iterator_restarts_its_table_alone(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, code: str
) -> None:
    """L3: NocoDB ends the table there and calls the job done."""
    deleted = airtable.records["tblStories"][3]

    def lose(asked: Asked) -> Answer | None:
        if len(airtable.pages("tblStories")) != 5 or not asked.path.endswith("tblStories"):
            return None
        airtable.lose_iterators()
        airtable.records["tblStories"] = [r for r in airtable.records["tblStories"] if r != deleted] + [
            record(9999)
        ]
        return Answer(f'{{"error":{{"type":"{code}"}}}}', 422)

    airtable.faults.append(lose)
    manifest = export(client, store)
    assert texts(store) == airtable.records["tblStories"], "one scan's records, none of the lost one's"
    assert [t.restarts for t in manifest.tables] == [1, 0, 0]
    assert len(airtable.pages("tblStories")) == 5 + 8


def test_an_iterator_that_is_lost_again_and_again_is_said(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    lost = Answer('{"error":{"type":"LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}', 422)
    airtable.faults.append(lambda asked: lost if asked.option("offset") else None)
    with pytest.raises(SourceError, match=r"table 'Stories'.*lost the scan's place 5 times"):
        export(client, store)


def test_a_record_that_comes_twice_is_counted_and_read_once(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    airtable.records["tblStories"].insert(250, record(7))
    manifest = export(client, store)
    assert (manifest.tables[0].records, manifest.tables[0].duplicates) == (RECORDS, 1)
    assert sorted(texts(store)) == sorted(set(airtable.records["tblStories"]))


def test_an_offset_that_does_not_advance_is_an_error_and_no_endless_loop(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    page = Answer(f'{{"records":[{record(1)}],"offset":"itr1/rec1"}}')
    airtable.once("tblQuotes", page, times=1000)
    with pytest.raises(SourceError, match=r"table 'Quotes'.*do not advance"):
        export(client, store)


class FullDisk(ObjectStore):
    """A store that has no room after so many objects."""

    room = 6

    def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:
        self.room -= 1
        if self.room < 0:
            raise StoreError(f"object {key} cannot be written: no space left")
        super().put(key, data, create=create)


@pytest.mark.parametrize("room", [0, 1, 2, 5, 9, 25])
def test_a_full_disk_leaves_no_export_and_the_next_run_goes_on(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, room: int
) -> None:
    full = FullDisk(store._store, store.url)
    full.room = room
    with pytest.raises(StoreError, match="no space left"):
        export(client, full)
    assert list_exports(store) == []
    export(client, store)
    assert texts(store) == airtable.records["tblStories"]


def test_a_final_export_scans_twice_and_agrees(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    manifest = export(client, store, final=True)
    assert (manifest.final, manifest.calls) == (True, 2 * 10 + 2 + WEBHOOK_CALLS)
    again = [asked for asked in airtable.pages("tblStories") if "fields[]" in asked.query]
    assert len(again) == 8
    assert {tuple(asked.query["fields[]"]) for asked in again} == {("fldName",)}


def test_a_final_export_with_any_difference_fails_and_the_next_one_begins_anew(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    """The second scan is the only evidence that the first was whole: created and deleted records both show."""
    changes = [record(n) for n in range(RECORDS)][1:] + [record(n) for n in range(8000, 8030)]

    def change(asked: Asked) -> None:
        if "fields[]" in asked.query:
            airtable.records["tblStories"] = changes

    airtable.faults.append(change)
    with pytest.raises(CheckFailed) as caught:
        export(client, store, final=True)
    said = str(caught.value)
    assert "table 'Stories': 30 records only in the second scan (rec00000000008000, " in said
    assert "1 records only in the first scan (rec00000000000000)" in said
    assert said.count("rec000000000080") == 20
    assert list_exports(store) == []
    export(client, store, final=True)
    assert texts(store) == changes


def test_tables_or_fields_changed_meanwhile_fail_the_export_and_the_next_one_begins_anew(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    changed = json.loads(json.dumps(airtable.metadata))
    changed["tables"][0]["fields"][0]["type"] = "multilineText"

    def change(asked: Asked) -> None:
        if asked.path.endswith("tblStories") and asked.option("offset"):
            airtable.metadata = changed

    airtable.faults.append(change)
    with pytest.raises(SourceError, match=r"changed while it was exported \('Stories'\)"):
        export(client, store)
    assert list_exports(store) == []
    airtable.asked.clear()
    manifest = export(client, store)
    assert Export(store, manifest.export_id).metadata == parse_metadata(BASE, json.dumps(changed))
    assert len(airtable.pages("tblStories")) == 8, (
        "nothing of the export under the old design is gone on with"
    )


PROCESS = """
import sys
from pathlib import Path
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.run import export_base
from ledger_assets.storage import open_store
url, key, base, locks, objects = sys.argv[1:]
client = AirtableClient(url, key, base, requests_per_second=1000.0, lock_folder=Path(locks))
export_base(client, open_store(objects), environment="staging")
"""


def kill_in_the_middle(airtable: ScriptedAirtable, store: ObjectStore, locks: Path, pages: int) -> int:
    """Export in a process, kill it while page ``pages`` is being asked for; returns how many pages were kept."""
    reached, go_on = threading.Event(), threading.Event()

    def hold(asked: Asked) -> None:
        if asked.path.endswith("tblStories") and len(airtable.pages("tblStories")) > pages:
            reached.set()
            go_on.wait(60)

    airtable.faults.append(hold)
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, airtable.url, KEY, BASE, str(locks), store.url],
        stderr=subprocess.PIPE,
    )
    assert reached.wait(60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    airtable.faults.clear()
    go_on.set()
    kept = [
        json.loads(store.get(e.key))
        for e in store.list("exports")
        if e.key.endswith("progress/tblStories.json")
    ]
    return kept[0]["pages"] if kept else 0


@pytest.mark.parametrize("pages", [0, 1, 5, 7])
def test_killed_anywhere_it_goes_on_from_the_last_page_kept(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, locks: Path, pages: int
) -> None:
    airtable.records["tblStories"][5] = record(5, comments=1)
    airtable.comments["rec00000000000005"] = ['{"id":"com1"}']
    kept = kill_in_the_middle(airtable, store, locks, pages)
    assert list_exports(store) == []
    airtable.asked.clear()
    airtable.records["tblStories"].append(record(5000))
    manifest = export(client, store)
    whole = airtable.records["tblStories"] if kept == 0 else airtable.records["tblStories"][:-1]
    assert texts(store) == whole
    assert len(airtable.pages("tblStories")) == 8 - kept, "nothing kept is asked for again"
    assert pages - 4 <= kept <= pages
    lines = [f"{json.loads(text)['id']} {hashlib.sha256(text.encode()).hexdigest()}\n" for text in whole]
    content = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert (manifest.tables[0].content_sha256, manifest.tables[0].comments) == (content, 1)
    assert len(store.folders("exports")) == 1
    assert manifest.continued is not None
    assert manifest.calls >= client.calls + kept, "the killed run's calls are of the month's quota too"


def test_killed_and_the_iterator_lost_meanwhile_the_table_is_read_anew(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, locks: Path
) -> None:
    kill_in_the_middle(airtable, store, locks, 5)
    airtable.lose_iterators()
    airtable.records["tblStories"] = airtable.records["tblStories"][10:]
    manifest = export(client, store)
    assert texts(store) == airtable.records["tblStories"]
    assert manifest.tables[0].restarts == 1
    assert len({one.key for one in store.list("exports") if "/tables/tblStories/" in one.key}) == 8


def test_killed_and_the_base_changed_meanwhile_the_half_export_is_thrown_away(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, locks: Path
) -> None:
    kill_in_the_middle(airtable, store, locks, 5)
    airtable.metadata["tables"][0]["fields"][0]["name"] = "Another"
    manifest = export(client, store)
    assert {one.key.split("/")[1] for one in store.list("exports")} == {manifest.export_id}


@pytest.mark.parametrize(
    "options",
    [{"final": True}, {"resume": False}, {"environment": "production"}],
    ids=["final", "no resume", "other"],
)
def test_an_interrupted_export_of_another_kind_is_not_gone_on_with(
    airtable: ScriptedAirtable,
    client: AirtableClient,
    store: ObjectStore,
    locks: Path,
    options: dict[str, Any],
) -> None:
    kill_in_the_middle(airtable, store, locks, 5)
    airtable.asked.clear()
    export_base(client, store, **{"environment": "staging", **options})
    assert len([asked for asked in airtable.pages("tblStories") if "fields[]" not in asked.query]) == 8


def test_an_unfinished_export_of_another_home_is_left_alone(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, clock: TestClock
) -> None:
    """It may be running: its lock is not ours to see."""
    moment = timestamp(clock.now())
    other = begin(store, Begun(BASE, "staging", False, "another", moment), json.dumps(airtable.metadata))
    before = [one.key for one in store.list(f"exports/{other.export_id}")]
    manifest = export(client, store)
    assert manifest.export_id != other.export_id
    assert [one.key for one in store.list(f"exports/{other.export_id}")] == before


def test_two_exports_of_one_base_at_once_do_not_mix(
    airtable: ScriptedAirtable, client: AirtableClient, new_client: NewClient, store: ObjectStore
) -> None:
    errors: list[LedgerError] = []

    def second(asked: Asked) -> None:
        if asked.option("offset") and not errors:
            with pytest.raises(LedgerError, match="is running already") as caught:
                export(new_client(), store)
            errors.append(caught.value)

    airtable.faults.append(second)
    export(client, store)
    assert errors
    assert texts(store) == airtable.records["tblStories"]


def test_exports_are_listed_in_the_order_they_were_begun(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    """Two within one second too: the newest is what the next step reads."""
    ids = [export(client, store).export_id for _ in range(3)]
    assert list_exports(store) == ids


def test_a_query_too_long_for_an_address_is_posted(
    airtable: ScriptedAirtable, client: AirtableClient
) -> None:
    ids = [json.loads(text)["id"] for text in airtable.records["tblStories"][:90]]
    formula = f"OR({','.join(f'RECORD_ID()={one!r}' for one in ids)})" + " " * LONGEST_URL
    meta = parse_metadata(BASE, json.dumps(airtable.metadata)).tables[0]
    page = client.records(meta, formula=formula, fields=["fldName"])
    (asked,) = airtable.asked
    assert (asked.method, asked.path, asked.query) == ("POST", f"/v0/{BASE}/tblStories/listRecords", {})
    assert asked.body is not None
    assert asked.body["returnFieldsByFieldId"] is True
    assert [one.id for one in page.records] == ids


def test_all_tables_are_asked_for_at_once(
    scripted: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    """At 0.8 s an answer, four tables at once are needed to use five requests a second."""
    for number in range(20):
        scripted.add_table(f"T{number}", [record(n) for n in range(3)])
    together = threading.Barrier(20, timeout=60)

    def gather(asked: Asked) -> None:
        if "/tblT" in asked.path:
            together.wait()

    scripted.faults.append(gather)
    assert len(export(client, store).tables) == 20


class SlowDisk(ObjectStore):
    """A store that is at the first page of Stories until a later page has been asked for."""

    later: threading.Event
    came: bool = False

    def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:
        if key.endswith("tblStories/000000.jsonl.zst"):
            self.came = self.later.wait(60)
        super().put(key, data, create=create)


def test_the_next_page_is_asked_for_while_the_one_before_is_written(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    slow = SlowDisk(store._store, store.url)
    slow.later = threading.Event()
    airtable.faults.append(lambda _: slow.later.set() if len(airtable.pages("tblStories")) == 3 else None)
    export(client, slow)
    assert slow.came
    assert texts(store) == airtable.records["tblStories"]


def test_secrets_and_cells_are_in_no_message_repr_or_log(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    airtable.records["tblStories"][1] = record(1, fields='{"fldName":"cellSentinel"}')
    airtable.once("tblStories", Answer('{"records":[{"id":"x","fields":"cellSentinel"}]}'), times=2)
    airtable.once("tblQuotes", Answer('{"error":{"type":"X","message":"cellSentinel"}}', 418))
    with pytest.raises(SourceError) as caught:
        export(client, store)
    said = f"{caught.value}{caught.value!r}{client!r}{vars(client)}{caplog.text}"
    assert "asking again" in caplog.text
    assert "Sentinel" not in said.replace("TestClock", "")


def test_an_address_is_in_no_message_even_when_nothing_answers(
    airtable: ScriptedAirtable, client: AirtableClient, store: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    """The errors of requests hold the whole address, offsets and formulas included."""
    caplog.set_level("DEBUG")
    airtable.once("tblStories", Answer("", promised=5), times=1000)
    with pytest.raises(
        SourceError, match=r"'Stories' \(tblStories\): no answer \(\w+\); tried 8 times"
    ) as caught:
        export(client, store)
    assert "127.0.0.1" not in f"{caught.value}{caplog.text}"
    assert "pageSize" not in f"{caught.value}{caplog.text}"
