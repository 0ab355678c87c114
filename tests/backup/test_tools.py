"""Which programs are chosen, and what is told of what they say."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_assets.backup import tools as module
from ledger_assets.backup.tools import environment_of, needs_tls, servers_for, told, tools_for
from ledger_assets.demo.initdb import wheel_binaries
from ledger_assets.errors import TargetError


def programs(folder: Path, version: str) -> Path:
    """A folder of programs that only say which version they are."""
    folder.mkdir(parents=True)
    for name in ("pg_dump", "pg_restore"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version} (Debian {version}-1)'\n")
        (folder / name).chmod(0o700)
    return folder


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing is installed but the wheel."""
    monkeypatch.setattr(module, "INSTALLED", tmp_path / "installed")
    monkeypatch.setenv("PATH", "/nowhere")
    return tmp_path / "installed"


def test_the_smallest_version_that_is_not_older_than_the_server_is_chosen(machine: Path) -> None:
    for version in ("14.2", "15.18", "16.9", "17.1"):
        programs(machine / version.split(".")[0] / "bin", version)
    assert tools_for(160004).version == "16.9"
    assert tools_for(150020).pg_dump == machine / "15" / "bin" / "pg_dump"
    assert tools_for(180000).pg_dump.parent == wheel_binaries()


def test_of_two_of_one_version_the_newer_is_chosen(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(machine / "17" / "bin", "17.9")
    monkeypatch.setenv("PATH", f"{programs(tmp_path / 'own', '17.10')}:/bin")
    assert tools_for(170000).version == "17.10"


def test_debians_script_on_the_path_is_not_taken_for_a_program(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = programs(tmp_path / "path", "17.1")
    (path / "pg_dump").rename(path / "pg_wrapper")
    (path / "pg_dump").symlink_to("pg_wrapper")
    monkeypatch.setenv("PATH", f"{path}:/bin")
    assert tools_for(170000).pg_dump.parent == wheel_binaries()


def test_a_server_newer_than_every_program_is_refused_with_the_remedy(machine: Path, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"Postgres 19 needs .* this machine has 18.*postgresql-client-19"):
        tools_for(190001)
    with pytest.raises(TargetError, match=r"Postgres 18 needs .*LEDGER_PG_PROGRAMS has 15\.18"):
        tools_for(180006, programs(tmp_path / "15", "15.18"))
    with pytest.raises(TargetError, match="LEDGER_PG_PROGRAMS has none"):
        tools_for(180006, tmp_path)


def test_the_wheel_is_not_chosen_for_a_server_that_wants_tls(machine: Path) -> None:
    with pytest.raises(TargetError, match="embedded ones have no TLS"):
        tools_for(180006, tls=True)
    programs(machine / "19" / "bin", "19.1")
    assert tools_for(180006, tls=True).version == "19.1"


def test_a_whole_postgres_is_chosen_to_restore_into(machine: Path) -> None:
    programs(machine / "15" / "bin", "15.18")  # a client only
    assert servers_for(15) == wheel_binaries()
    for name in ("postgres", "initdb"):
        (machine / "15" / "bin" / name).touch()
    assert servers_for(15) == machine / "15" / "bin"
    assert servers_for(16) == wheel_binaries()
    with pytest.raises(TargetError, match="SCRATCH_DATABASE_URL"):
        servers_for(19)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgresql://u:p@db.example.org/postgres", True),
        ("postgresql://u:p@db.example.org/postgres?sslmode=verify-full", True),
        ("postgresql://u:p@db.example.org/postgres?sslmode=disable", False),
        ("postgresql://u:p@127.0.0.1/postgres", False),
        ("postgresql://u:p@127.0.0.1/postgres?sslmode=require", True),
        ("postgresql://u:p@localhost/postgres", False),
        ("host=/run/postgresql dbname=postgres", False),
    ],
)
def test_whether_an_address_wants_tls(url: str, wanted: bool) -> None:
    assert needs_tls(url) is wanted


def test_programs_reach_the_same_database_by_their_environment(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKUP_ENCRYPTION_PASSWORD", "none of their business")
    url = psycopg.conninfo.make_conninfo(database_url, application_name="it's me", options="-c geqo=off")
    with psycopg.connect(url) as conn:
        environ = environment_of(conn)
    parameters = psycopg.conninfo.conninfo_to_dict(database_url)
    assert environ["PGPASSWORD"] == parameters["password"]
    assert (environ["PGDATABASE"], environ["PGPORT"]) == (parameters["dbname"], str(parameters["port"]))
    assert (environ["PGAPPNAME"], environ["PGOPTIONS"]) == ("it's me", "-c geqo=off")
    assert "BACKUP_ENCRYPTION_PASSWORD" not in environ


@given(st.text(st.characters(exclude_characters='"', exclude_categories=["C", "Z"]), min_size=1))
def test_what_stands_in_quotes_and_is_no_name_is_never_told(value: str) -> None:
    value = f"<{value}>"
    lines = (
        f'pg_restore: error: COPY failed for table "stories": ERROR:  invalid input syntax for type json: "{value}"\n'
        f"DETAIL:  Key (id)=({value}) is not present\nCONTEXT:  COPY stories, line 1, column copy: {value}"
    )
    assert told(lines, 1) == (
        'pg_restore: error: COPY failed for table "stories": ERROR:  invalid input syntax for type json: "..."'
    )


def test_a_program_that_says_nothing_is_told_by_its_end() -> None:
    assert told("", -9) == "ended by signal 9"
    assert told("pg_dump: warning: circular\n", 1) == "ended with code 1"
