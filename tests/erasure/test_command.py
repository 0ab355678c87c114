"""``erase ENV``: lists what waits, tries it, carries it out everywhere, and says where the person is still."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from ledger_assets.cli.erase import erase
from ledger_assets.connections import object_store
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Environment, read_settings
from ledger_assets.erasure.register import listed
from tests.erasure.world import Person, Steps, failed, holding
from tests.lane.worlds import set_environ


@pytest.fixture
def steps(
    planted: tuple[Path, Person], tmp_path: Path, conn: psycopg.Connection, database_url: str
) -> Iterator[Steps]:
    """The lane's steps in the environment staging, as the command opens it."""
    path = Path(shutil.copyfile(planted[0], tmp_path / "base.sqlite"))
    home, objects = tmp_path / "home", tmp_path / "objects"
    with LocalAirtable(path, requests_per_second=100_000) as airtable:
        environ = {
            "LEDGER_HOME": str(home),
            "OBJECT_STORE_URL": objects.as_uri(),
            "STAGING_DATABASE_URL": database_url,
            "AIRTABLE_ENDPOINT_URL": airtable.url,
            "AIRTABLE_API_KEY": airtable.api_key,
            "AIRTABLE_BASE_ID": airtable.base_id,
            "BACKUP_ENCRYPTION_PASSWORD": "seven wombats under one lamp",
        }
        with set_environ(environ):
            from ledger_assets.backup.settings import read_backup_settings
            from ledger_assets.backup.vault import open_vault, set_up_key

            backup = read_backup_settings(read_settings(Environment.STAGING))
            set_up_key(open_vault(backup), backup)
            yield Steps(airtable, object_store(read_settings(Environment.STAGING)), conn, home)


def run(*arguments: str) -> Result:
    found = CliRunner().invoke(erase, ["staging", *arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found


def ask(steps: Steps, person: Person) -> str:
    with steps.conn.transaction():
        row = steps.conn.execute(
            "insert into erasure_requests (scope, storyteller_id, reason) "
            "select 'storyteller', id, 'zyzzyva' from storytellers where airtable_record_id = %s returning id::text",
            (person.id,),
        ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_request_is_listed_tried_and_carried_out_everywhere(steps: Steps, person: Person) -> None:
    from ledger_assets.backup.place import open_place

    steps.migrate()
    assert "nobody waits" in run().output
    asked = ask(steps, person)
    assert asked in run().output
    tried = run("--request", asked, "--dry-run").output
    assert "storyteller True" in tried
    assert "rolled back" in tried
    assert [one["request_id"] for one in json.loads(run("--json").output)] == [asked]
    assert holding(steps.store) != []
    output = run("--request", asked, "--as", "Kim").output
    assert "purged: 1 exports, 1 ledgers, 4 files" in output
    assert "in no snapshot any more" in output.replace("\n", " ")
    assert "zyzzyva" not in output
    assert holding(steps.store) == []
    place = open_place(read_settings(Environment.STAGING))
    erased = listed(place.vault, place.identity)
    assert [one.request_id for one in erased] == [asked]
    who = steps.conn.execute("select distinct run from audit.log where action = 'erase'").fetchall()
    assert who == [("erase by Kim",)]
    steps.conn.rollback()
    _, proof = steps.migrate(erased)
    assert failed(proof) == []
    assert "nobody waits" in run().output


def test_a_request_that_is_not_open_is_refused_with_the_command_that_lists(steps: Steps) -> None:
    from ledger_assets.errors import TargetError

    with pytest.raises(TargetError, match="ledger-assets erase ENV"):
        run("--request", "00000000-0000-0000-0000-000000000000")


def test_production_asks_for_the_targets_own_name(
    steps: Steps, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger_assets.errors import TargetError

    steps.migrate()
    asked = ask(steps, person)
    monkeypatch.setenv("DATABASE_URL", read_settings(Environment.STAGING).database_url or "")
    monkeypatch.delenv("STAGING_DATABASE_URL")
    with pytest.raises(TargetError, match="--confirm"):
        CliRunner().invoke(erase, ["production", "--request", asked], catch_exceptions=False)
    open_still = steps.conn.execute("select state from erasure_requests").fetchall()
    assert open_still == [("requested",)]
