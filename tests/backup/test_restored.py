"""What is restored is equal to what was dumped, and whatever is not equal is named."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from ledger_assets.backup import restored as restored_module
from ledger_assets.backup.compared import compare
from ledger_assets.backup.dump import Dumped
from ledger_assets.backup.outside import Extension
from ledger_assets.backup.restored import data_files, restore_folder
from ledger_assets.backup.scratch import scratch
from ledger_assets.backup.tools import Tools, tools_for
from ledger_assets.demo.postgres import Cluster
from ledger_assets.errors import LedgerError, StoreError, TargetError
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply
from tests.backup.dumps import Copy, execute, fill, foreign, instead, restored, settings, taken, tools_of


@dataclass(frozen=True)
class Kept:
    """A dump that no test changes."""

    dumped: Dumped
    folder: Path
    tools: Tools


@pytest.fixture(scope="module")
def kept(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """All migrations, rows in nearly every table."""
    folder = tmp_path_factory.mktemp("kept")
    cluster.ensure_database("dumped")
    with connect(cluster.url("dumped"), application_name="tests") as conn:
        apply(conn)
    fill(cluster.url("dumped"), folder)
    dumped = taken(cluster.url("dumped"), folder / "dump")
    return Kept(dumped, folder / "dump", tools_of(cluster.url("dumped")))


@pytest.fixture(scope="module")
def kept_copy(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """It restored, once; tests put back what they damage."""
    with restored(kept.dumped, kept.folder, tmp_path_factory.mktemp("home")) as copy:
        yield copy


@pytest.fixture
def copy(cluster: Cluster, kept_copy: Copy) -> Iterator[Copy]:
    """A database of its own beside the restored one."""
    url = kept_copy.scratch.admin_url
    postgres = psycopg.conninfo.make_conninfo(url, dbname="postgres")
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("create database damaged template scratch")
        damaged = psycopg.conninfo.make_conninfo(url, dbname="damaged")
        yield Copy(kept_copy.contents, replace(kept_copy.scratch, admin_url=damaged))
        admin.execute("drop database damaged with (force)")


def test_all_of_it_comes_back_equal(kept: Kept, kept_copy: Copy) -> None:
    assert kept_copy.differences == []
    tables = kept.dumped.contents.tables
    assert sum(table.rows > 0 for table in tables.values()) > 40
    assert len(kept.dumped.contents.catalogue) > 1000
    assert kept.dumped.contents.outside.references[0].target == "auth.users"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("update public.stories set title = left(title, -1) || '.' where id = (select id from public.stories limit 1)",
         "table public.stories: its "),
        ("update public.stories set privacy = 'private' where privacy <> 'private'", "table public.stories: its "),
        ("delete from audit.log where log_id = (select max(log_id) from audit.log)", "table audit.log: expected "),
        ("insert into public.themes (id, name) values (gen_random_uuid(), 'one more')", "table public.themes: expected "),
        ("drop table public.story_views", "table public.story_views: expected "),
        ("create table public.extra ()", "table public.extra: expected nothing"),
        ("alter table public.themes rename column name to title", "table public.themes: has other columns (name, title)"),
        ("select setval('audit.log_log_id_seq', 1)", "sequence audit.log_log_id_seq: expected at "),
        ("drop policy anon_select on public.stories", "policy anon_select on public.stories: expected "),
        ("drop index public.stories_community_id_idx", "index stories_community_id_idx on public.stories: expected "),
        ("alter table public.quotes drop constraint quotes_storyteller_id_fkey",
         "constraint quotes_storyteller_id_fkey on public.quotes: expected "),
        ("alter table public.stories disable trigger keep_version", "trigger keep_version on public.stories: expected "),
        ("alter table public.stories disable row level security", "table public.stories: expected "),
        ("grant select on public.storyteller_contacts to anon",
         "grant table public.storyteller_contacts to anon: expected nothing"),
        ("revoke usage on schema public from anon", "grant schema public to anon: expected usage"),
        ("create or replace function private.is_loader() returns boolean language sql as 'select true'",
         "function private.is_loader(): expected "),
        ("alter table public.stories alter column title set default 'x'", "column public.stories.title: expected "),
        ("alter view private.story_rule set (security_barrier)", "view private.story_rule: expected "),
    ],
)  # fmt: skip
def test_damage_to_the_restored_copy_is_named(copy: Copy, damage: str, told: str) -> None:
    with psycopg.connect(copy.scratch.admin_url) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute(damage.encode())
    lines = copy.differences
    assert any(line.startswith(told) for line in lines), lines
    assert all("\n" not in line for line in lines)


def test_rows_that_refer_to_nothing_are_named_although_their_constraint_is_valid(copy: Copy) -> None:
    with psycopg.connect(copy.scratch.admin_url) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute("delete from public.storytellers")
        valid = conn.execute(
            "select convalidated from pg_constraint where conname = 'quotes_storyteller_id_fkey'"
        ).fetchone()
        assert valid == (True,)
    assert any(
        line.startswith("foreign key quotes_storyteller_id_fkey of public.quotes: ")
        for line in copy.differences
    )


def test_a_tables_file_cut_at_a_row_and_zipped_again_is_found(kept: Kept, tmp_path: Path) -> None:
    folder = tmp_path / "dump"
    shutil.copytree(kept.folder, folder)
    file = folder / data_files(folder, kept.dumped.contents, tools=kept.tools)["audit.log"]
    rows = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(rows[1:])))
    with restored(kept.dumped, folder, tmp_path / "home") as copy:  # pg_restore itself says success
        count = kept.dumped.contents.tables["audit.log"].rows
        assert copy.differences == [f"table audit.log: expected {count} rows; found {count - 1}"]


@pytest.mark.parametrize("how", ["half", "gone", "garbage", "toc"])
def test_a_damaged_file_is_an_error_that_tells_no_value(kept: Kept, tmp_path: Path, how: str) -> None:
    folder = tmp_path / "dump"
    shutil.copytree(kept.folder, folder)
    file = folder / data_files(folder, kept.dumped.contents, tools=kept.tools)["public.stories"]
    if how == "toc":
        file = folder / "toc.dat"
    if how == "gone":
        file.unlink()
    elif how == "garbage":
        rows = gzip.decompress(file.read_bytes())
        file.write_bytes(gzip.compress(rows.replace(b"\t", b"\tNora Invented\t", 1)))
    else:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(LedgerError) as caught, restored(kept.dumped, folder, tmp_path / "home"):
        pass
    assert isinstance(caught.value, StoreError if how == "toc" else TargetError)
    assert "Nora" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_table_comes_back_from_its_own_file_alone(kept: Kept, tmp_path: Path) -> None:
    contents = kept.dumped.contents
    files = data_files(kept.folder, contents, tools=kept.tools)
    assert files.keys() == contents.tables.keys()
    assert sorted({*files.values(), "toc.dat"}) == sorted(kept.dumped.files)
    folder = tmp_path / "dump"
    folder.mkdir()
    shutil.copy(kept.folder / "toc.dat", folder)
    # Before any table's file is here, the names are known.
    assert data_files(folder, contents, tools=kept.tools) == files
    shutil.copy(kept.folder / files["public.quotes"], folder)
    with scratch(settings(tmp_path / "home"), kept.tools.major) as made:
        restore_folder(made.admin_url, folder, contents, tools=kept.tools, tables=["public.quotes"])
        assert compare(contents, made.admin_url, tables=["public.quotes"]) == []
        execute(made.admin_url, "update public.quotes set quote = quote || '.'")
        (line,) = compare(contents, made.admin_url, tables=["public.quotes"])
        assert line.startswith("table public.quotes: ")
    with (
        scratch(settings(tmp_path / "home"), kept.tools.major) as made,
        pytest.raises(StoreError, match=r"table public.nothing is not in this snapshot"),
    ):
        restore_folder(made.admin_url, folder, contents, tools=kept.tools, tables=["public.nothing"])


def test_a_database_that_holds_anything_is_refused_untouched(
    kept: Kept, database_url: str, empty_database_url: str
) -> None:
    with pytest.raises(TargetError, match=r"is not empty, it holds"):
        restore_folder(database_url, kept.folder, kept.dumped.contents, tools=kept.tools)
    execute(empty_database_url, "create view public.mine as select 1")
    with pytest.raises(TargetError, match=r"is not empty, it holds public\.mine"):
        restore_folder(empty_database_url, kept.folder, kept.dumped.contents, tools=kept.tools)
    execute(empty_database_url, "select * from public.mine")


def test_an_extension_that_the_server_lacks_is_named_before_any_row_is_there(
    kept: Kept, tmp_path: Path
) -> None:
    contents = kept.dumped.contents
    outside = replace(contents.outside, extensions=(Extension("postgis", "extensions", "3.4", True),))
    dumped = replace(kept.dumped, contents=replace(contents, outside=outside))
    with (
        pytest.raises(TargetError, match=r"extension postgis.*SCRATCH_DATABASE_URL"),
        restored(dumped, kept.folder, tmp_path),
    ):
        pass


def test_an_archive_of_a_newer_program_is_refused_by_name(
    kept: Kept, database_url: str, tmp_path: Path
) -> None:
    tools = tools_of(database_url)
    (tmp_path / "pg_restore").write_text(
        "#!/bin/sh\necho 'pg_restore: error: unsupported version (1.16) in file header' >&2\nexit 1\n"
    )
    (tmp_path / "pg_restore").chmod(0o700)
    old = Tools(tools.pg_dump, tmp_path / "pg_restore", "15.18")
    with pytest.raises(TargetError, match="older than the program that wrote this snapshot"):
        restore_folder(database_url, kept.folder, kept.dumped.contents, tools=old)


def test_foreign_keys_are_made_when_all_rows_are_in_and_all_grants_made(
    empty_database_url: str, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pg_restore's own jobs make those of a partitioned table while its partitions are filled."""
    name = str(psycopg.conninfo.conninfo_to_dict(empty_database_url)["dbname"])
    foreign(cluster.admin_url(name))
    execute(
        cluster.admin_url(name),
        'comment on constraint "a table_person_fkey" on "Odd Name"."a table" is \'x\'',
    )
    dumped = taken(cluster.admin_url(name), tmp_path / "dump", kind="baseline")
    lists: list[str] = []
    real = restored_module.run

    def listed(command: Sequence[str | Path], **others: str) -> str:
        for part in map(str, command):
            if part.startswith("--use-list="):
                lists.append(Path(part.removeprefix("--use-list=")).read_text("utf-8"))
        return real(command, **others)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr(restored_module, "run", listed)
    with restored(dumped, tmp_path / "dump", tmp_path / "home") as copy:
        assert copy.differences == []
    assert [("TABLE DATA" in one, "FK CONSTRAINT" in one, "ACL" in one) for one in lists[1:]] == [
        (True, False, True),
        (False, True, False),
    ]


def test_a_foreign_database_comes_back_equal(
    cluster: Cluster, empty_database_url: str, tmp_path: Path
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(empty_database_url)["dbname"]
    foreign(cluster.admin_url(str(name)))
    execute(
        cluster.admin_url(str(name)),
        "create role clerk; grant select on crm.people to clerk; create publication news for table crm.people; "
        "alter table crm.people owner to clerk",
    )
    try:
        dumped = taken(cluster.admin_url(str(name)), tmp_path / "dump", kind="baseline")
    finally:
        execute(cluster.admin_url(str(name)), "drop owned by clerk cascade; drop role clerk")
    outside = dumped.contents.outside
    assert dumped.schemas == ("Odd Name", "crm", "public")
    assert outside.publications == {"news": ("crm.people",)}
    assert "clerk" in outside.roles
    assert [(e.name, e.schema, e.needed) for e in outside.extensions] == [("pg_trgm", "public", True)]
    assert [r.rows for r in outside.references] == [(("00000000-0000-4000-8000-000000000002",),)]
    assert "crm.events" not in dumped.contents.tables
    assert {"crm.events_old", "crm.events_new"} <= dumped.contents.tables.keys()
    assert "upper_name" not in dumped.contents.tables["crm.people"].columns
    with restored(dumped, tmp_path / "dump", tmp_path / "home") as copy:
        assert copy.differences == []
        execute(copy.scratch.admin_url, 'delete from "Odd Name"."a table" where "a b" = 1.00 and id = 2')
        assert copy.differences == ['table "Odd Name"."a table": expected 3 rows; found 2']


def test_a_named_server_serves_as_scratch_to_a_role_that_is_no_superuser(
    cluster: Cluster, kept: Kept, tmp_path: Path
) -> None:
    chosen = settings(tmp_path, scratch_url=cluster.url("postgres"))
    with scratch(chosen, kept.tools.major) as made:
        restore_folder(made.admin_url, kept.folder, kept.dumped.contents, tools=kept.tools)
        assert compare(kept.dumped.contents, made.admin_url) == []
        execute(made.url, "drop policy anon_select on public.stories")
        (line,) = compare(kept.dumped.contents, made.admin_url)
        assert line.startswith("policy anon_select on public.stories: ")


def test_a_pg_restore_that_is_killed_is_an_error(kept: Kept, tmp_path: Path) -> None:
    fake = instead(kept.tools, tmp_path, "kill -9 $$").pg_dump
    tools = Tools(kept.tools.pg_dump, fake, kept.tools.version)
    with (
        scratch(settings(tmp_path / "home"), kept.tools.major) as made,
        pytest.raises(LedgerError, match="ended by signal 9"),
    ):
        restore_folder(made.admin_url, kept.folder, kept.dumped.contents, tools=tools)


def test_archives_choose_programs_by_the_version_that_wrote_them(kept: Kept) -> None:
    assert tools_for(int(kept.dumped.tool.split(".")[0]) * 10000).major >= kept.tools.major
