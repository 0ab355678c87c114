"""The files of an export: each once, by content, whole or with a problem; never from a lookup."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from ledger_assets.errors import SourceError, StoreError
from ledger_assets.extract.attachments import (
    AttachmentInventory,
    download_attachments,
    problem_lines,
    read_inventory,
)
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import Export
from ledger_assets.extract.run import export_base
from ledger_assets.storage import ObjectStore

from .conftest import TestClock
from .scripted import Answer, Asked, ScriptedAirtable, record

FIELDS = [
    {"id": "fldName", "name": "Name", "type": "singleLineText"},
    {"id": "fldFile", "name": "Photo", "type": "multipleAttachments"},
    {"id": "fldLook", "name": "Photo (from Media)", "type": "multipleLookupValues"},
]
CONTENT = {f"att{n}": f"picture {n}".encode() * 1000 for n in range(5)}


class Base:
    """A table with files whose addresses are signed anew with every answer."""

    def __init__(self, airtable: ScriptedAirtable) -> None:
        self.airtable = airtable
        self.signature = 1
        self.cells: list[list[dict[str, Any]]] = []
        airtable.files.update(CONTENT)
        airtable.add_table("Media", [], FIELDS)
        airtable.add_table("Other", [record(n) for n in range(3)])
        self.fill([["att0"], ["att1", "att2"], ["att3"], ["att4"]])

    def fill(self, cells: list[list[str]]) -> None:
        """Set the files of each record."""
        self.cells = [[self.item(one) for one in cell] for cell in cells]
        self.sign(self.signature)

    def item(self, attachment_id: str) -> dict[str, Any]:
        name = f"fileSentinel-{attachment_id}.jpg"
        size = len(CONTENT.get(attachment_id, b""))
        return {"id": attachment_id, "filename": name, "size": size, "type": "image/jpeg"}

    def sign(self, signature: int) -> None:
        """Give every address another signature; those of before keep working until :meth:`expire`."""
        self.signature = signature
        self.airtable.records["tblMedia"] = [
            record(
                number,
                fields=json.dumps({"fldFile": self._signed(cell), "fldLook": self._signed(self.cells[0])}),
            )
            for number, cell in enumerate(self.cells)
        ]

    def _signed(self, cell: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**item, "url": f"{self.airtable.url}/files/{item['id']}?sig=Sentinel{self.signature}"}
            for item in cell
        ]

    def expire(self, status: int = 410) -> None:
        """From now on only addresses of the next signature work."""
        self.sign(self.signature + 1)
        valid = f"Sentinel{self.signature}"

        def refuse(asked: Asked) -> Answer | None:
            return Answer("", status) if "/files/" in asked.path and asked.query["sig"] != [valid] else None

        self.airtable.faults.append(refuse)

    @property
    def downloads(self) -> list[str]:
        """Ids of the files that were asked for."""
        return [asked.path.rsplit("/", 1)[-1] for asked in self.airtable.asked if "/files/" in asked.path]


@pytest.fixture
def base(scripted: ScriptedAirtable) -> Base:
    return Base(scripted)


def run(client: AirtableClient, store: ObjectStore) -> tuple[Export, AttachmentInventory]:
    export = Export(store, export_base(client, store, environment="staging").export_id)
    return export, download_attachments(client, store, export)


def media(store: ObjectStore) -> dict[str, bytes]:
    return {entry.key: store.get(entry.key) for entry in store.list("media")}


def by_content(*ids: str) -> dict[str, bytes]:
    return {f"media/{hashlib.sha256(CONTENT[one]).hexdigest()}": CONTENT[one] for one in ids}


def problems(inventory: AttachmentInventory) -> dict[str, str]:
    return {entry.attachment_id: str(entry.problem) for entry in inventory.problems}


def test_every_own_file_is_kept_with_its_hash(base: Base, client: AirtableClient, store: ObjectStore) -> None:
    """L11: others keep an id, or an address that dies in two hours."""
    export, inventory = run(client, store)
    assert media(store) == by_content(*CONTENT)
    assert [(e.attachment_id, e.record_id, e.field_id, e.table_id) for e in inventory.entries] == [
        ("att0", "rec00000000000000", "fldFile", "tblMedia"),
        ("att1", "rec00000000000001", "fldFile", "tblMedia"),
        ("att2", "rec00000000000001", "fldFile", "tblMedia"),
        ("att3", "rec00000000000002", "fldFile", "tblMedia"),
        ("att4", "rec00000000000003", "fldFile", "tblMedia"),
    ]
    for entry in inventory.entries:
        assert entry.object_key == f"media/{entry.sha256}"
        assert (entry.problem, entry.content_type, entry.size) == (
            None,
            "image/jpeg",
            len(CONTENT[entry.attachment_id]),
        )
    assert read_inventory(store, export.export_id) == inventory
    assert b"http" not in store.get(f"exports/{export.export_id}/attachments.json")


def test_lookups_are_never_downloaded(base: Base, client: AirtableClient, store: ObjectStore) -> None:
    """In the real base the same files show 448 times through lookups, 232 times in cells of their own."""
    run(client, store)
    assert sorted(base.downloads) == sorted(CONTENT)


def test_the_token_does_not_go_to_the_host_of_the_files(
    base: Base, client: AirtableClient, store: ObjectStore
) -> None:
    run(client, store)
    assert {asked.authorization for asked in base.airtable.asked if "/files/" in asked.path} == {None}


def test_one_content_is_stored_once_and_one_attachment_fetched_once(
    base: Base, client: AirtableClient, store: ObjectStore
) -> None:
    base.airtable.files["att1"] = CONTENT["att0"]
    base.fill([["att0", "att1"], ["att0"]])
    _, inventory = run(client, store)
    assert media(store) == by_content("att0")
    assert sorted(base.downloads) == ["att0", "att1"]
    assert len(inventory.entries) == 3
    assert not inventory.problems


@pytest.mark.parametrize("status", [401, 403, 410])
def test_an_expired_address_is_read_again_in_one_call_for_all(
    base: Base, client: AirtableClient, store: ObjectStore, status: int
) -> None:
    export = Export(store, export_base(client, store, environment="staging").export_id)
    base.expire(status)
    before = client.calls
    assert not download_attachments(client, store, export).problems
    assert media(store) == by_content(*CONTENT)
    assert client.calls - before == 1


def test_an_old_address_is_read_again_before_it_is_tried(
    base: Base, client: AirtableClient, store: ObjectStore, clock: TestClock
) -> None:
    """Airtable's addresses live about two hours; a transfer begun late would break off."""
    export = Export(store, export_base(client, store, environment="staging").export_id)
    base.expire()
    clock.sleep(91 * 60)
    assert not download_attachments(client, store, export).problems
    assert len(base.downloads) == len(CONTENT), "none was tried with its old address"


def test_an_address_refused_even_when_fresh_is_a_problem(
    base: Base, client: AirtableClient, store: ObjectStore
) -> None:
    base.airtable.once("/files/att3", Answer("", 403), times=1000)
    _, inventory = run(client, store)
    assert problems(inventory) == {"att3": "the address was refused (403), a fresh one too"}
    assert base.downloads.count("att3") == 2


@pytest.mark.parametrize("cells", [[["att0"], ["att1"], [], ["att4"]], [["att0"], ["att1"]]])
def test_a_file_gone_from_the_base_since_the_export_is_a_problem(
    base: Base, client: AirtableClient, store: ObjectStore, cells: list[list[str]]
) -> None:
    export = Export(store, export_base(client, store, environment="staging").export_id)
    base.fill(cells)
    base.expire()
    found = problems(download_attachments(client, store, export))
    assert found["att3"] == "the record or the attachment has gone from the base since the export"
    assert "att0" not in found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (CONTENT["att3"][:-1], "the file has 8999 of 9000 bytes that Airtable names"),
        (CONTENT["att3"] + b"!", "the file has more than the 9000 bytes that Airtable names"),
        (b"", "the file has 0 of 9000 bytes that Airtable names"),
    ],
)
def test_a_file_of_another_size_is_a_problem_and_not_stored(
    base: Base, client: AirtableClient, store: ObjectStore, content: bytes, said: str
) -> None:
    said = said.replace("9000", str(len(CONTENT["att3"]))).replace("8999", str(len(CONTENT["att3"]) - 1))
    base.airtable.files["att3"] = content
    _, inventory = run(client, store)
    assert problems(inventory) == {"att3": f"{said}; 4 attempts"}
    assert media(store) == by_content("att0", "att1", "att2", "att4")


def test_a_missing_file_is_a_problem_by_id_without_its_name(
    base: Base, client: AirtableClient, store: ObjectStore
) -> None:
    del base.airtable.files["att3"]
    _, inventory = run(client, store)
    assert list(problem_lines(inventory)) == [
        "att3 of record rec00000000000002 in tblMedia: the file's host answered 404"
    ]


def test_a_file_that_could_not_be_had_is_tried_again_and_the_first_inventory_stays(
    base: Base, client: AirtableClient, store: ObjectStore
) -> None:
    """Re-executing the failed step in the web UI must be able to succeed."""
    content = base.airtable.files.pop("att3")
    export, before = run(client, store)
    assert [e.attachment_id for e in before.problems] == ["att3"]
    kept = store.get(f"exports/{export.export_id}/attachments.json")
    base.airtable.files["att3"] = content
    after = download_attachments(client, store, export)
    assert (after.problems, after.downloaded) == ((), 1)
    assert read_inventory(store, export.export_id) == after
    assert store.get(f"exports/{export.export_id}/attachments.json") == kept


def test_a_cell_that_is_no_attachment_is_a_problem(
    base: Base, client: AirtableClient, store: ObjectStore
) -> None:
    cells = ['{"error":"#ERROR!"}', '[{"id":"att9","url":"http://x","size":"5"}]', "[7]", '"text"', "null"]
    base.airtable.records["tblMedia"] = [record(n, fields=f'{{"fldFile":{c}}}') for n, c in enumerate(cells)]
    _, inventory = run(client, store)
    assert [entry.record_id for entry in inventory.problems] == [f"rec{n:014d}" for n in range(4)]
    assert all(entry.sha256 is None for entry in inventory.entries)


@pytest.mark.parametrize(
    "answer",
    [Answer("", 503), Answer("", 429), Answer(CONTENT["att3"][:50], promised=len(CONTENT["att3"]))],
    ids=["503", "429", "broken off"],
)
def test_a_fault_that_passes_costs_no_file(
    base: Base, client: AirtableClient, store: ObjectStore, answer: Answer
) -> None:
    base.airtable.once("/files/att3", answer, times=3)
    _, inventory = run(client, store)
    assert not inventory.problems
    assert media(store) == by_content(*CONTENT)


def test_a_name_that_postgres_cannot_hold_is_kept_as_far_as_it_can(
    base: Base, client: AirtableClient, store: ObjectStore
) -> None:
    """Lawful JSON: a NUL and half a character. The record's own text keeps both."""
    base.cells[0][0]["filename"] = "a\x00b\ud83dc.jpg"
    base.sign(1)
    manifest = export_base(client, store, environment="staging")
    inventory = download_attachments(client, store, Export(store, manifest.export_id))
    assert inventory.entries[0].filename == "a\ufffdb\ufffdc.jpg"
    assert inventory.entries[0].problem is None


def test_the_next_export_fetches_only_what_is_new(
    base: Base, client: AirtableClient, store: ObjectStore
) -> None:
    base.fill([["att0"], ["att1"]])
    run(client, store)
    base.airtable.asked.clear()
    base.fill([["att0"], ["att1", "att2"]])
    _, inventory = run(client, store)
    assert base.downloads == ["att2"]
    assert inventory.downloaded == 1
    assert not inventory.problems


@pytest.mark.parametrize("damage", ["deleted", "cut off"])
def test_a_file_that_is_no_longer_whole_in_the_store_is_not_trusted(
    base: Base, client: AirtableClient, store: ObjectStore, damage: str
) -> None:
    base.fill([["att0"]])
    run(client, store)
    (key,) = by_content("att0")
    if damage == "deleted":
        store.delete(key)
        run(client, store)
        assert media(store) == by_content("att0")
    else:
        store.put(key, b"half")
        with pytest.raises(StoreError, match=f"object {key} is damaged"):
            run(client, store)


class Stops(ObjectStore):
    """A store that fails at the inventory, or when so many files are in it."""

    room = 0

    def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:
        if key.startswith("media/"):
            self.room -= 1
            if self.room < 0:
                raise StoreError("no space left")
        super().put(key, data, create=create)


def test_interrupted_it_goes_on_with_what_is_missing(
    base: Base, client: AirtableClient, store: ObjectStore
) -> None:
    export = Export(store, export_base(client, store, environment="staging").export_id)
    full = Stops(store._store, store.url)
    full.room = 2
    with pytest.raises(StoreError, match="no space left"):
        download_attachments(client, full, export)
    with pytest.raises(StoreError, match="are not complete"):
        read_inventory(store, export.export_id)
    base.airtable.asked.clear()
    inventory = download_attachments(client, store, export)
    assert (inventory.downloaded, len(base.downloads)) == (3, 3)
    assert media(store) == by_content(*CONTENT)
    assert download_attachments(client, store, export) == inventory, "done once, it is only read"
    assert len(base.downloads) == 3


def test_a_refusal_by_airtable_itself_ends_the_step_without_an_inventory(
    base: Base, client: AirtableClient, store: ObjectStore
) -> None:
    """A token taken away is no fault of the files: they must not all be called missing."""
    export = Export(store, export_base(client, store, environment="staging").export_id)
    base.expire()
    base.airtable.once("/tblMedia", Answer("{}", 401), times=1000)
    with pytest.raises(SourceError, match="AIRTABLE_API_KEY"):
        download_attachments(client, store, export)
    with pytest.raises(StoreError, match="are not complete"):
        read_inventory(store, export.export_id)


def test_two_at_once_agree(base: Base, client: AirtableClient, store: ObjectStore) -> None:
    export = Export(store, export_base(client, store, environment="staging").export_id)
    found: list[AttachmentInventory] = []
    threads = [
        threading.Thread(target=lambda: found.append(download_attachments(client, store, export)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1] == read_inventory(store, export.export_id)


def test_addresses_and_names_are_in_no_log_message_or_repr(
    base: Base, client: AirtableClient, store: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    base.airtable.once("/files/att3", Answer(b"x", promised=9), times=1000)
    _, inventory = run(client, store)
    assert set(problems(inventory)) == {"att3"}
    assert "Sentinel" not in caplog.text + "".join(problem_lines(inventory))
