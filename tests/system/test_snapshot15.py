"""Dumps of the oldest Postgres that is supported, by Debian's own programs, and what comes back from them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger_assets.backup.compared import compare
from ledger_assets.backup.contents import fingerprint, fix_settings, tables_of
from ledger_assets.backup.dump import Dumped, dump
from ledger_assets.backup.restored import data_files, restore_folder
from ledger_assets.backup.scratch import scratch
from ledger_assets.backup.tools import Tools, tools_for
from ledger_assets.demo.initdb import wheel_binaries
from ledger_assets.demo.postgres import Cluster
from ledger_assets.errors import TargetError
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply
from tests.backup.dumps import execute, fill, foreign, restored, settings, taken

pytestmark = pytest.mark.system

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def cluster15(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    assert PROGRAMS.is_dir(), f"{PROGRAMS} is missing: apt-get install postgresql-15"
    cluster = Cluster(tmp_path_factory.mktemp("cluster15"), bin_folder=PROGRAMS, durable=False)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def url15(cluster15: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """All migrations, rows in nearly every table."""
    cluster15.ensure_database("full")
    with connect(cluster15.url("full"), application_name="tests") as conn:
        apply(conn)
    fill(cluster15.url("full"), tmp_path_factory.mktemp("filled"))
    return cluster15.url("full")


@pytest.fixture(scope="module")
def kept(url15: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dumped, Path]:
    folder = tmp_path_factory.mktemp("kept") / "dump"
    return taken(url15, folder), folder


def test_it_is_dumped_and_restored_by_debians_programs_and_equal(
    kept: tuple[Dumped, Path], tmp_path: Path
) -> None:
    dumped, folder = kept
    assert dumped.tool.split(".")[0] == dumped.server.split(".")[0] == "15"
    assert tools_for(150000).pg_dump == PROGRAMS / "pg_dump"
    with restored(dumped, folder, tmp_path) as copy:
        with psycopg.connect(copy.scratch.url) as conn:
            assert conn.info.server_version // 10000 == 15
        assert copy.differences == []
        execute(
            copy.scratch.admin_url,
            "drop policy anon_select on public.stories; drop index public.stories_community_id_idx",
        )
        assert [line.split(":")[0] for line in copy.differences] == [
            "index stories_community_id_idx on public.stories",
            "policy anon_select on public.stories",
        ]


def test_a_newer_server_gets_the_same_rows_and_the_same_fingerprints(
    kept: tuple[Dumped, Path], tmp_path: Path
) -> None:
    dumped, folder = kept
    with scratch(settings(tmp_path), 18) as made:
        restore_folder(made.admin_url, folder, dumped.contents, tools=tools_for(180000))
        assert compare(dumped.contents, made.admin_url) == []


def test_a_tables_file_cut_at_a_row_and_zipped_again_is_found(
    kept: tuple[Dumped, Path], tmp_path: Path
) -> None:
    dumped, folder = kept
    file = folder / data_files(folder, dumped.contents, tools=tools_for(150000))["audit.log"]
    whole = file.read_bytes()
    file.write_bytes(gzip.compress(b"".join(gzip.decompress(whole).splitlines(keepends=True)[1:])))
    try:
        with restored(dumped, folder, tmp_path) as copy:
            (line,) = copy.differences
    finally:
        file.write_bytes(whole)
    assert line.startswith("table audit.log: expected ")


def test_the_embedded_newer_server_is_refused_with_debians_programs(
    database_url: str, tmp_path: Path
) -> None:
    with pytest.raises(TargetError, match=r"Postgres 18 needs .* LEDGER_PG_PROGRAMS has 15\."):
        tools_for(180006, PROGRAMS)
    old = Tools(PROGRAMS / "pg_dump", PROGRAMS / "pg_restore", "15.18")
    with pytest.raises(TargetError, match="server version mismatch"):
        dump(database_url, tmp_path / "dump", kind="full", tools=old)
    assert not (tmp_path / "dump").exists()


def test_a_dump_by_the_newer_program_is_refused_by_the_older_one_and_for_the_older_server(
    database_url: str, tmp_path: Path
) -> None:
    newer = tools_for(180000, wheel_binaries())
    dumped = dump(database_url, tmp_path / "dump", kind="full", tools=newer)
    with scratch(settings(tmp_path), 15) as made:
        with pytest.raises(TargetError, match="older than the program that wrote this snapshot"):
            restore_folder(made.admin_url, tmp_path / "dump", dumped.contents, tools=tools_for(150000))
        with pytest.raises(TargetError, match="cannot restore into Postgres 15"):
            restore_folder(made.admin_url, tmp_path / "dump", dumped.contents, tools=newer)


def test_the_embedded_programs_dump_an_older_server_that_is_not_of_a_newer_release(
    url15: str, tmp_path: Path
) -> None:
    newer = tools_for(180000, wheel_binaries())
    with psycopg.connect(url15) as conn:
        marked = conn.execute(
            "select count(*) > 0 from pg_attribute where attoptions::text ~ 'pg_attver'"
        ).fetchone()
    if marked == (True,):
        with pytest.raises(TargetError, match="older release than the server"):
            dump(url15, tmp_path / "dump", kind="full", tools=newer)
    else:
        dumped = dump(url15, tmp_path / "dump", kind="full", tools=newer)
        with restored(dumped, tmp_path / "dump", tmp_path / "home") as copy:
            assert copy.differences == []


def test_a_foreign_database_has_a_baseline(cluster15: Cluster, tmp_path: Path) -> None:
    cluster15.ensure_database("foreign")
    foreign(cluster15.admin_url("foreign"))
    dumped = taken(cluster15.admin_url("foreign"), tmp_path / "dump", kind="baseline")
    assert dumped.schemas == ("Odd Name", "crm", "public")
    with restored(dumped, tmp_path / "dump", tmp_path / "home") as copy:
        assert copy.differences == []


TYPES = (
    "create table public.types as select 'NaN'::float8 a, '-0'::float8 b, '5e-324'::float8 c, 'infinity'::timestamptz d, "
    "'0044-03-15 BC'::date e, '1 year -2 days'::interval f, '{\"b\": [1, null, \"é\"]}'::jsonb g, "
    "array['a\"b', null, '\\'] h, '{[1,2), [5,6)}'::int4multirange i, '10:00+02'::timetz j, 'cats:1A'::tsvector k, "
    "1.10::numeric l, '\\x00ff'::bytea m, 'public.stories'::regclass n, 12.5::money o, 0.1::real p"
)


def test_every_type_has_the_same_fingerprint_on_both_versions(url15: str, database_url: str) -> None:
    found = []
    for url in (url15, database_url):
        with psycopg.connect(url) as conn:
            conn.execute(TYPES.encode())
            fix_settings(conn)
            (shape,) = [shape for shape in tables_of(conn, ["public"]) if shape.name == "types"]
            found.append(fingerprint(conn, shape))
            conn.rollback()
    assert found[0] == found[1]
