"""How other tools lose data of bases that they do not know (L6-L9 and L18 of reference/airtable.md): with the profile
``any_base`` each is kept, and proven through the raw records.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger_assets import connections
from ledger_assets.demo import any_schema
from ledger_assets.demo.base import create_base
from ledger_assets.demo.postgres import Cluster
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Environment, read_settings
from ledger_assets.extract.attachments import download_attachments
from ledger_assets.extract.export import Export
from ledger_assets.extract.run import export_base
from ledger_assets.load.connect import connect
from ledger_assets.load.load import load
from ledger_assets.proof.reconcile import reconcile
from ledger_assets.proof.report import document
from ledger_assets.storage import ObjectStore, open_store

from .losses import Judged, Loss, judge
from .worlds import database, set_environ

MOMENT = any_schema.EVERYTHING.field_id("Moment")
CODE = any_schema.EVERYTHING.field_id("Code")
OPEN = any_schema.EVERYTHING.field_id("Open")
SUMMARY = any_schema.EVERYTHING.field_id("Machine summary")
QUANTUM = any_schema.EVERYTHING.field_id("Quantum")
AMOUNT = any_schema.EVERYTHING.field_id("Amount")
PARENT = any_schema.TREE.field_id("Parent")
ALIKE = [
    any_schema.PEOPLE.field_id(name) for name in ("A b", "a_b", "a b ", "linked_items", "# linked items")
]

OF_ANY_BASE = {
    "L6 numbers cut to what a machine's integer or float holds": Loss(
        f"select raw like '%%\"{AMOUNT}\":9007199254740993,%%' and (fields ->> '{AMOUNT}')::numeric = 9007199254740993"
        " from airtable.records where record_id = %(everything)s",
        f"update airtable.records set fields = jsonb_set(fields, '{{{AMOUNT}}}', '9007199254740992')"
        " where record_id = %(everything)s",
        "Everything", "records", "columns do not say what the text says", "everything",
    ),
    "L7 names that fall together": Loss(
        f"select fields ?& array{ALIKE} from airtable.records where record_id = %(alike)s",
        f"update airtable.records set fields = fields - '{ALIKE[1]}' where record_id = %(alike)s",
        "People", "records", "columns do not say what the text says", "alike",
    ),
    "L8 a barcode, a button, a machine's text": Loss(
        f"select count(*) > 50 from airtable.records where table_id = %(table)s and jsonb_typeof(fields -> '{CODE}') ||"
        f" jsonb_typeof(fields -> '{OPEN}') || jsonb_typeof(fields -> '{SUMMARY}') = 'objectobjectobject'",
        "delete from airtable.records where table_id = %(table)s and record_id <> %(everything)s",
        "Everything", "records", "not in the raw records", "first",
    ),
    "L9 a type that the tool does not know": Loss(
        f"select fields ?& array['{MOMENT}', '{QUANTUM}'] from airtable.records where record_id = %(everything)s",
        f"update airtable.records set fields = fields - '{MOMENT}' - '{QUANTUM}' where record_id = %(everything)s",
        "Everything", "records", "columns do not say what the text says", "everything",
    ),
    "L18 a link without a field on the other side": Loss(
        f"select jsonb_array_length(fields -> '{PARENT}') = 2 from airtable.records where record_id = %(child)s",
        f"update airtable.records set fields = fields - '{PARENT}' where record_id = %(child)s",
        "Tree", "records", "columns do not say what the text says", "child",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def of_any_base(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, migrated_template: str
) -> Iterator[Judged]:
    """The base of every type, exported, loaded and proven; then every loss at once, and the proof again."""
    folder = tmp_path_factory.mktemp("any")
    create_base(folder / "base.sqlite", shape="any_base", scale=60)
    store = open_store((folder / "objects").as_uri())
    with (
        LocalAirtable(folder / "base.sqlite", requests_per_second=None) as airtable,
        database(cluster, migrated_template, "losses_of_any_base") as url,
        connect(url, application_name="test") as connection,
    ):
        export = export_any(airtable, store, folder)
        options: dict[str, Any] = {"environment": "staging", "specs": (), "run_id": "test"}
        assert load(connection, store, export, None, first_month=date(2024, 10, 1), **options).committed
        proven = reconcile(connection, store=store, export=export, ledger=None, specs=())
        who = people_of_any_base(connection)
        kept = judge(connection, OF_ANY_BASE, who)
        proof = reconcile(connection, store=store, export=export, ledger=None, specs=())
        yield Judged(kept, document(proven), document(proof), who)


def export_any(airtable: LocalAirtable, store: ObjectStore, folder: Path) -> Export:
    """Export the base with its files."""
    environ = {
        "LEDGER_HOME": str(folder / "home"),
        "AIRTABLE_ENDPOINT_URL": airtable.url,
        "AIRTABLE_API_KEY": airtable.api_key,
        "AIRTABLE_BASE_ID": airtable.base_id,
        "AIRTABLE_REQUESTS_PER_SECOND": "100000",
    }
    with (
        set_environ(environ),
        connections.airtable_client(read_settings(Environment.STAGING)) as client,
    ):
        manifest = export_base(client, store, environment="staging")
        export = Export(store, manifest.export_id)
        download_attachments(client, store, export)
    return export


def people_of_any_base(connection: psycopg.Connection) -> dict[str, str]:
    """Record ids by what a test calls them."""
    wanted = {
        "everything": f"fields ->> '{AMOUNT}' = '9007199254740993' and fields ? '{SUMMARY}'",
        "first": f"table_id = '{any_schema.EVERYTHING.id}'",
        "alike": f"fields ?& array{ALIKE}",
        "child": f"jsonb_array_length(fields -> '{PARENT}') = 2",
    }
    who = {"table": any_schema.EVERYTHING.id, "everything": ""}
    with connection.transaction():
        for name, condition in wanted.items():
            query = f"select min(record_id) from airtable.records where {condition} and record_id <> %(everything)s"
            row = connection.execute(query.encode(), who).fetchone()
            assert row is not None
            who[name] = row[0]
    return who


@pytest.mark.parametrize("name", OF_ANY_BASE)
def test_what_others_lose_of_any_base_is_in_postgres(of_any_base: Judged, name: str) -> None:
    assert of_any_base.proven["passed"] is True
    assert of_any_base.kept[name] == [(True,)]


@pytest.mark.parametrize("name", OF_ANY_BASE)
def test_the_proof_names_the_loss_in_any_base(of_any_base: Judged, name: str) -> None:
    loss = OF_ANY_BASE[name]
    found = of_any_base.named(loss)
    assert found == loss.record if isinstance(loss.record, int) else of_any_base.who[loss.record] in found
