"""A dump and its contents are of one moment, whoever writes meanwhile; what cannot be read whole is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ledger_assets.backup import dump as module
from ledger_assets.backup.contents import Contents
from ledger_assets.backup.dump import Dumped, dump, schemas_of
from ledger_assets.backup.tools import tools_for
from ledger_assets.demo.postgres import Cluster
from ledger_assets.errors import LedgerError, SettingsError, TargetError
from ledger_assets.load import schema
from ledger_assets.load.connect import connect
from tests.backup.dumps import Gate, execute, fill, foreign, instead, restored, taken, tools_of

CANARY = "Nora Invented, teller of rivers"


@contextmanager
def held(url: str, folder: Path, gate: Gate) -> Iterator[Future[Dumped]]:
    """A dump that has its snapshot and whose pg_dump waits at the gate."""
    with closing(gate), ThreadPoolExecutor() as pool:
        done = pool.submit(dump, url, folder, kind="full", tools=gate.tools)
        done.add_done_callback(lambda _: gate.give_up())
        gate.wait()
        try:
            yield done
        finally:
            gate.open()


def waiting(url: str, work: Callable[[], object]) -> threading.Thread:
    """Start ``work`` and return once its session waits for a lock."""
    with psycopg.connect(url, autocommit=True) as conn:
        before = _waiting(conn)
        thread = threading.Thread(target=work)
        thread.start()
        while _waiting(conn) == before and thread.is_alive():
            thread.join(0.01)
    return thread


def _waiting(conn: psycopg.Connection) -> int:
    row = conn.execute(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_rows_written_after_the_snapshot_are_in_neither_the_dump_nor_its_contents(
    database_url: str, tmp_path: Path
) -> None:
    fill(database_url, tmp_path)
    with (
        held(database_url, tmp_path / "dump", Gate(tools_of(database_url), tmp_path)) as done,
        psycopg.connect(database_url) as app,
    ):
        app.execute("update public.stories set title = title || ' changed'")
        app.execute("insert into public.themes (id, name) values (gen_random_uuid(), 'new')")
        app.execute("delete from public.story_views")
    dumped = done.result()
    later = taken(database_url, tmp_path / "later").contents
    changed = {n for n, table in dumped.contents.tables.items() if later.tables[n] != table}
    assert {"public.stories", "public.themes"} <= changed
    with restored(dumped, tmp_path / "dump", tmp_path / "home") as copy:
        assert copy.differences == []


def test_a_migration_waits_for_the_end_of_a_snapshot_and_both_succeed(
    empty_database_url: str, tmp_path: Path
) -> None:
    names = [m.filename for m in schema.migrations()]
    with connect(empty_database_url, application_name="tests") as conn:
        schema.apply(conn)
        conn.execute(
            "delete from supabase_migrations.schema_migrations where version = %s", (names[-1].split("_")[0],)
        )
        conn.commit()
        with held(
            empty_database_url, tmp_path / "dump", Gate(tools_of(empty_database_url), tmp_path)
        ) as done:
            applied: list[str] = []
            thread = waiting(empty_database_url, lambda: applied.extend(schema.apply(conn)))
            assert applied == []
        assert len(done.result().contents.migrations) == len(names) - 1
        thread.join()
        assert applied == names[-1:]


def test_an_alter_that_queues_between_our_lock_and_pg_dumps_makes_it_try_again(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_SECONDS", 1)
    gate = Gate(tools_of(database_url), tmp_path, only_first=True)
    with held(database_url, tmp_path / "dump", gate) as done:
        alter = "alter table public.themes add column colour text"
        thread = waiting(database_url, lambda: execute(database_url, alter))
    assert "colour" in done.result().contents.tables["public.themes"].columns
    thread.join()


def test_a_table_that_stays_locked_fails_the_dump_and_leaves_nothing(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.05)
    with psycopg.connect(database_url) as app:
        app.execute("lock table public.themes in access exclusive mode")
        with pytest.raises(TargetError, match="nothing was kept"):
            taken(database_url, tmp_path / "dump")
    assert not (tmp_path / "dump").exists()


def test_a_second_snapshot_of_the_same_database_is_refused_while_one_runs(
    database_url: str, tmp_path: Path
) -> None:
    tools = tools_of(database_url)
    with (
        held(database_url, tmp_path / "dump", Gate(tools, tmp_path)) as done,
        pytest.raises(TargetError, match="another snapshot"),
    ):
        dump(database_url, tmp_path / "second", kind="full", tools=tools, wait_seconds=0.05)
    assert done.result().files
    assert taken(database_url, tmp_path / "third").files


@pytest.mark.parametrize(
    "script",
    [
        '$real "$@"\nkill -9 $$',
        '$real "$@" &\nuntil [ -n "$(ls ${2#--file=})" ]; do :; done\nkill -9 $$',
        '$real "$@"\nexit 1',
        "echo half > ${2#--file=}/toc.dat; exit 1",
    ],
)
def test_a_pg_dump_that_dies_leaves_nothing_even_if_its_files_are_complete(
    database_url: str, tmp_path: Path, script: str
) -> None:
    tools = instead(tools_of(database_url), tmp_path, script)
    with pytest.raises(TargetError, match="nothing was kept: ended"):
        dump(database_url, tmp_path / "dump", kind="full", tools=tools)
    assert [path.name for path in tmp_path.iterdir()] == ["pg_dump"]
    with psycopg.connect(database_url) as conn:  # and no lock either
        conn.execute("set lock_timeout = '5s'")
        conn.execute("lock table public.stories in access exclusive mode")


def test_a_server_that_ends_our_connection_leaves_nothing(
    cluster: Cluster, database_url: str, tmp_path: Path
) -> None:
    with (
        held(database_url, tmp_path / "dump", Gate(tools_of(database_url), tmp_path)) as done,
        psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin,
    ):
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ledger:snapshot' "
            "and datname = %s",
            (psycopg.conninfo.conninfo_to_dict(database_url)["dbname"],),
        )
    with pytest.raises(TargetError, match=r"ended the connection|pg_dump failed"):
        done.result()
    assert not (tmp_path / "dump").exists()


def test_the_folder_is_private_and_no_argument_holds_the_password(database_url: str, tmp_path: Path) -> None:
    tools = instead(tools_of(database_url), tmp_path, f'echo "$@" > {tmp_path}/arguments\nexec $real "$@"')
    dumped = dump(database_url, tmp_path / "dump", kind="full", tools=tools)
    assert (tmp_path / "dump").stat().st_mode & 0o777 == 0o700
    assert {(tmp_path / "dump" / name).stat().st_mode & 0o777 for name in dumped.files} == {0o600}
    password = str(psycopg.conninfo.conninfo_to_dict(database_url)["password"])
    said = (tmp_path / "arguments").read_text()
    assert "--snapshot=" in said
    assert password not in said
    assert dumped.bytes == sum((tmp_path / "dump" / name).stat().st_size for name in dumped.files)


def test_a_folder_that_holds_something_is_refused_and_left_alone(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump" / "precious").write_text("x")
    with pytest.raises(SettingsError, match="not empty"):
        taken(database_url, tmp_path / "dump")
    assert (tmp_path / "dump" / "precious").read_text() == "x"


@pytest.fixture
def role(cluster: Cluster) -> Iterator[str]:
    """A role of the test's own that may log in, and nothing else."""
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute("create role reader login password 'reading'")
        yield "reader"
        for (name,) in admin.execute("select datname from pg_database where datname ~ '^test_'").fetchall():
            with psycopg.connect(cluster.admin_url(name), autocommit=True) as conn:
                conn.execute("reassign owned by reader to postgres; drop owned by reader")
        admin.execute("drop role reader")


def _as(url: str, role: str) -> str:
    return psycopg.conninfo.make_conninfo(url, user=role, password="reading")


def test_a_role_that_row_level_security_would_shorten_is_refused(
    cluster: Cluster, database_url: str, role: str, tmp_path: Path
) -> None:
    admin = psycopg.conninfo.make_conninfo(cluster.admin_url("postgres"), dbname=_name(database_url))
    execute(admin, f"grant pg_read_all_data to {role}")
    with pytest.raises(TargetError, match="BYPASSRLS"):
        dump(_as(database_url, role), tmp_path / "dump", kind="full", tools=tools_of(database_url))
    # FORCE shortens for the owner too.
    execute(
        admin,
        f"alter table public.stories force row level security; alter table public.stories owner to {role}",
    )
    with pytest.raises(TargetError, match="BYPASSRLS"):
        dump(_as(database_url, role), tmp_path / "dump", kind="full", tools=tools_of(database_url))
    assert not (tmp_path / "dump").exists()


def test_forced_row_level_security_does_not_shorten_for_the_owner_who_bypasses_it(
    database_url: str, tmp_path: Path
) -> None:
    fill(database_url, tmp_path)
    before = taken(database_url, tmp_path / "before").contents
    execute(database_url, "alter table public.stories force row level security")
    after = taken(database_url, tmp_path / "after").contents
    assert after.tables == before.tables
    assert after.tables["public.stories"].rows > 0


@pytest.mark.parametrize(
    ("revoked", "named"),
    [
        ("table public.stories", "table public.stories"),
        ("sequence audit.log_log_id_seq", "sequence audit.log_log_id_seq"),
    ],
)
def test_what_may_not_be_read_is_named_and_never_empty(
    cluster: Cluster, database_url: str, role: str, tmp_path: Path, revoked: str, named: str
) -> None:
    admin = psycopg.conninfo.make_conninfo(cluster.admin_url("postgres"), dbname=_name(database_url))
    execute(
        admin,
        f"alter role {role} bypassrls; "
        + "".join(
            f"grant usage on schema {s} to {role}; grant select on all tables in schema {s} to {role}; "
            f"grant select on all sequences in schema {s} to {role}; "
            for s in (*schema_names(), "supabase_migrations")
        )
        + f"revoke select on {revoked} from {role}",
    )
    with pytest.raises(TargetError, match=f"may not read {named}"):
        dump(_as(database_url, role), tmp_path / "dump", kind="full", tools=tools_of(database_url))
    execute(admin, f"grant select on {revoked} to {role}")
    assert dump(_as(database_url, role), tmp_path / "dump", kind="full", tools=tools_of(database_url)).files


def schema_names() -> tuple[str, ...]:
    return module.SCHEMAS


def _name(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


def test_a_database_without_our_schemas_has_a_baseline_and_no_full_snapshot(
    cluster: Cluster, empty_database_url: str, tmp_path: Path
) -> None:
    foreign(psycopg.conninfo.make_conninfo(cluster.admin_url("postgres"), dbname=_name(empty_database_url)))
    with connect(cluster.admin_url(_name(empty_database_url)), application_name="tests") as conn:
        assert schemas_of(conn, "baseline") == ("Odd Name", "crm", "public")
    with pytest.raises(TargetError, match="no schema of ours"):
        taken(empty_database_url, tmp_path / "full")


def test_the_platforms_schemas_are_in_no_baseline(conn: psycopg.Connection) -> None:
    for name in ("vault", "storage", "realtime", "pgsodium", "mine"):
        conn.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))
    conn.commit()
    assert set(schemas_of(conn, "baseline")) == {*module.SCHEMAS, "supabase_migrations", "mine"}
    assert set(schemas_of(conn, "full")) == {*module.SCHEMAS, "supabase_migrations"}


def test_an_older_pg_dump_fails_before_anything_is_written(database_url: str, tmp_path: Path) -> None:
    said = "pg_dump: error: aborting because of server version mismatch"
    tools = instead(tools_for(150000), tmp_path, f'echo "{said}" >&2; exit 1')
    with pytest.raises(TargetError, match="server version mismatch"):
        dump(database_url, tmp_path / "dump", kind="full", tools=tools)
    assert not (tmp_path / "dump").exists()


def test_a_pg_dump_that_writes_out_the_servers_private_marks_is_refused(
    database_url: str, tmp_path: Path
) -> None:
    mark = "ALTER TABLE ONLY public.t ALTER COLUMN a SET (pg_attver=26531312);"
    tools = instead(
        tools_of(database_url), tmp_path, f'$real "$@" && echo "{mark}" >> ${{2#--file=}}/toc.dat'
    )
    with pytest.raises(TargetError, match=r"older release than the server \(18\.6\)"):
        dump(database_url, tmp_path / "dump", kind="full", tools=tools)
    assert not (tmp_path / "dump").exists()


def test_no_cell_stands_in_an_error(database_url: str, tmp_path: Path) -> None:
    said = f'pg_dump: error: query failed: ERROR:  invalid input syntax for type json: "{CANARY}"'
    tools = instead(tools_of(database_url), tmp_path, f"echo '{said}' >&2; exit 1")
    with pytest.raises(LedgerError) as caught:
        dump(database_url, tmp_path / "dump", kind="full", tools=tools)
    assert CANARY not in str(caught.value)
    assert "invalid input syntax" in str(caught.value)


def test_a_sequence_that_moves_during_the_dump_is_kept_with_both_its_ends(
    database_url: str, tmp_path: Path
) -> None:
    with held(database_url, tmp_path / "dump", Gate(tools_of(database_url), tmp_path)) as done:
        execute(database_url, "select nextval('audit.log_log_id_seq') from generate_series(1, 7)")
    dumped = done.result()
    value = dumped.contents.sequences["audit.log_log_id_seq"]
    assert value.high[0] - value.low[0] in (6, 7)
    with restored(dumped, tmp_path / "dump", tmp_path / "home") as copy:
        assert copy.differences == []
        execute(copy.scratch.admin_url, "select setval('audit.log_log_id_seq', 1000)")
        (line,) = copy.differences
        assert line.startswith("sequence audit.log_log_id_seq: expected at ")
    assert Contents.from_json(dumped.contents.to_json()) == dumped.contents
