"""``media ENV place|verify`` as a person runs it, and what an erasure does to placed files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger_assets import people
from ledger_assets.cli.media import media
from ledger_assets.environment import Environment, read_settings
from ledger_assets.errors import CheckFailed, SettingsError, TargetError
from tests.lane.worlds import set_environ
from tests.placing.conftest import Files


@pytest.fixture
def staging(files: Files, database_url: str, tmp_path: Path) -> Iterator[Files]:
    """The world's database and store as staging's."""
    files.folders["private"] = tmp_path / "app"
    environ = {
        "LEDGER_HOME": str(tmp_path / "home"),
        "OBJECT_STORE_URL": (tmp_path / "objects").as_uri(),
        "MEDIA_STORE_URL": files.folders["private"].as_uri(),
        "STAGING_DATABASE_URL": database_url,
        "AIRTABLE_API_KEY": "patSynthetic",
        "AIRTABLE_BASE_ID": "appAAAAAAAAAAAAAA",
    }
    with set_environ(environ):
        from ledger_assets.connections import object_store

        files.settings = read_settings(Environment.STAGING)
        files.store = object_store(files.settings)
        yield files


def run(*arguments: str, environment: str = "staging") -> Result:
    return CliRunner().invoke(media, [environment, *arguments])


def test_placing_and_looking(staging: Files) -> None:
    good, lost = staging.file(), staging.file()
    staging.store.delete(f"media/{staging.hashes[lost]}")
    assert "files that would be placed: 2;" in run("place", "--dry-run").output
    placed = run("place", "--as", "Kim")
    assert isinstance(placed.exception, CheckFailed)
    assert str(placed.exception) == "1 files could not be placed"
    assert f"its bytes are not in the object store: 1 ({lost})" in placed.output
    assert isinstance(run("verify").exception, CheckFailed)
    staging.world.do("delete from media_assets where id = %s", lost)
    again = json.loads(run("place", "--json").output)
    assert (again["placed"], again["standing"], again["problems"]) == (0, 1, {})
    assert run("verify").output.startswith("files as they should be: 1; objects that no row names: 0")
    staging.path(good).write_bytes(b"x")
    found = run("verify")
    assert f"other bytes in the store: 1 ({good})" in found.output
    assert "place --again" in str(found.exception)
    assert run("place", "--again").exit_code == 0
    assert run("verify").exit_code == 0


def test_production_asks_for_its_name(tmp_path: Path) -> None:
    with set_environ({"LEDGER_HOME": str(tmp_path / "home")}):
        found = run("place", environment="production").exception
    assert isinstance(found, TargetError)
    assert "--confirm ledger_production" in str(found)


def test_a_real_database_needs_a_store_that_is_named(staging: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    assert staging.settings.database_url is not None
    monkeypatch.delenv("MEDIA_STORE_URL")
    assert isinstance(run("place").exception, SettingsError)


def test_an_erasure_takes_the_placed_files_too(staging: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    staging.world.do(
        "insert into migration.events (action, outcome, who) values ('load', 'done', 'a tester')"
    )
    assert people.remove_unnamed_media(staging.settings) == []
    kept, gone = staging.file(), staging.file()
    staging.place()
    path = staging.path(gone)
    staging.world.do("delete from media_assets where id = %s", gone)
    assert people.remove_unnamed_media(staging.settings) == ["removed from where the app serves files: 1"]
    assert (path.exists(), staging.path(kept).exists()) == (False, True)
    assert people.remove_unnamed_media(staging.settings) == []
    monkeypatch.delenv("MEDIA_STORE_URL")
    assert "MEDIA_STORE_URL is not set" in people.remove_unnamed_media(staging.settings)[0]
