"""The embedded Postgres: who runs it, who may use it, and that no death of any process leaves it unusable."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from ledger_assets.demo.initdb import wheel_binaries
from ledger_assets.demo.postgres import Cluster
from ledger_assets.demo.processes import PartError, bare_environment, give_away, unprivileged
from ledger_assets.errors import LedgerError
from ledger_assets.load.schema import apply_shim


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of this test alone: it is killed and broken."""
    cluster = Cluster(tmp_path / "home", durable=False)
    yield cluster
    cluster.stop()


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0]))


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def test_below_folders_that_only_we_may_enter_it_runs(own: Cluster, tmp_path: Path) -> None:
    """Root's project lies in a 0700 folder, Postgres refuses root, and opening folders is not ours to do."""
    tmp_path.chmod(0o700)
    own.start()
    assert postmaster(tmp_path / "home").uids().effective != 0
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert one(own.url("postgres"), "select 1") == 1


def test_an_ordinary_user_runs_it_as_himself(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    give_away(home)
    code = (
        "import sys, os, pathlib; from ledger_assets.demo.postgres import Cluster; import psycopg\n"
        "cluster = Cluster(pathlib.Path(sys.argv[1]), durable=False); cluster.start()\n"
        "pid = int((pathlib.Path(sys.argv[1]) / 'postgres/data/postmaster.pid').read_text().split()[0])\n"
        "owner = os.stat(f'/proc/{pid}').st_uid; psycopg.connect(cluster.url('postgres')).close()\n"
        "cluster.stop(); print(os.geteuid() != 0, owner == os.geteuid(), cluster.running)\n"
    )
    done = subprocess.run(
        [*unprivileged(), sys.executable, "-c", code, str(home)],
        env={**bare_environment(), "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True True False\n", "")


def test_it_listens_on_this_machine_only_and_asks_for_a_password(own: Cluster, tmp_path: Path) -> None:
    own.start()
    process = postmaster(tmp_path / "home")
    listening = [c.laddr.ip for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]
    assert one(own.admin_url("postgres"), "show unix_socket_directories") == ""
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(own.url("postgres").replace("postgres:", "postgres:x"))


def test_passwords_are_in_private_files_and_on_no_command_line(tmp_path: Path) -> None:
    """Programs that note their arguments and environment stand before the real ones."""
    programs, seen = tmp_path / "programs", tmp_path / "seen"
    programs.mkdir()
    seen.mkdir()
    give_away(seen)
    for name in ("initdb", "postgres"):
        program = programs / name
        program.write_text(
            f'#!/bin/sh\n{{ echo "$0 $@"; env; }} >> "{seen}/{name}"\nexec "{wheel_binaries()}/{name}" "$@"\n'
        )
        program.chmod(0o755)
    cluster = Cluster(tmp_path / "home", bin_folder=programs, durable=False)
    cluster.start()
    try:
        files = sorted((tmp_path / "home" / "postgres").glob("*.password"))
        assert [file.name for file in files] == ["postgres.password", "supabase_admin.password"]
        for file in files:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            for noted in ("initdb", "postgres"):
                assert "home/postgres" in (seen / noted).read_text()
                assert file.read_text() not in (seen / noted).read_text()
            assert file.read_text() not in cluster.log.read_text()
    finally:
        cluster.stop()


def test_our_settings_do_not_reach_the_servers_environment(
    own: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRTABLE_API_KEY", "pat-sentinel")
    own.start()
    assert "AIRTABLE_API_KEY" not in postmaster(tmp_path / "home").environ()


def test_the_working_role_may_do_what_supabase_lets_it_do(cluster: Cluster, empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        row = connection.execute(
            "select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls "
            "from pg_roles where rolname = current_user"
        ).fetchone()
        assert row == (False, True, True, True, True)
        connection.execute("create extension pg_trgm with schema extensions")
        connection.execute("set role anon")
        connection.execute("reset role")
        for refused in (
            "create table auth.mine (v text)",
            "create role boss superuser",
            "select pg_read_file('/etc/hostname')",
            "set role supabase_auth_admin",
            "alter role supabase_admin nosuperuser",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused.encode())
    assert one(
        cluster.admin_url("postgres"), "select rolsuper from pg_roles where rolname = 'supabase_admin'"
    )


def test_the_shim_gives_the_user_of_the_request(empty_database_url: str) -> None:
    user = "0b6fcb0e-5a0a-4d3a-9f59-6f1c1d6b7a11"
    with psycopg.connect(empty_database_url) as connection:
        claims = f'{{"sub": "{user}", "role": "authenticated"}}'
        connection.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
        connection.execute("set local role authenticated")
        row = connection.execute("select auth.uid()::text, auth.role(), auth.jwt() ->> 'sub'").fetchone()
    assert row == (user, "authenticated", user)


def test_the_shim_refuses_where_the_platform_owns_auth(own: Cluster) -> None:
    own.start()
    own.ensure_database("plain", shim=False)
    with psycopg.connect(own.admin_url("plain")) as connection:
        connection.execute("create schema auth")
        with pytest.raises(LedgerError, match="schema auth is not ours"):
            apply_shim(connection)
        connection.execute("drop schema auth")
        connection.execute("create role supabase_auth_admin")
        with pytest.raises(LedgerError, match="Supabase project"):
            apply_shim(connection)


def test_making_a_database_again_touches_nothing(own: Cluster) -> None:
    """The shim locks tables: a second command must not wait for the first one's load."""
    own.start()
    own.ensure_database("ledger")
    row_version = "select xmin::text from pg_class where oid = 'auth.users'::regclass"
    before = one(own.url("ledger"), row_version)
    own.ensure_database("ledger")
    assert one(own.url("ledger"), row_version) == before


def test_after_the_server_was_killed_it_starts_again_with_its_data(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "home")
    cluster.start()
    try:
        cluster.ensure_database("kept")
        with psycopg.connect(cluster.url("kept")) as connection:
            connection.execute("create table t as select 7 as v")
        postmaster(tmp_path / "home").send_signal(signal.SIGKILL)
        cluster.start()
        assert one(cluster.url("kept"), "select v from t") == 7
    finally:
        cluster.stop()


def test_a_lost_password_is_told_with_its_remedy(own: Cluster, tmp_path: Path) -> None:
    own.start()
    (tmp_path / "home" / "postgres" / "supabase_admin.password").write_text("another")
    with pytest.raises(PartError, match=r"refuses the password kept in .* remove that folder"):
        own.start()


def test_starting_a_running_cluster_changes_nothing(own: Cluster, tmp_path: Path) -> None:
    own.start()
    before = postmaster(tmp_path / "home").pid
    Cluster(tmp_path / "home").start()
    assert postmaster(tmp_path / "home").pid == before


def test_a_half_made_cluster_is_made_again(own: Cluster, tmp_path: Path) -> None:
    half = tmp_path / "home" / "postgres" / "making" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    own.start()
    assert one(own.url("postgres"), "select 1") == 1
    assert not half.exists()


def test_a_killed_first_start_still_gives_the_working_role(own: Cluster) -> None:
    """Killed between the server's start and the making of the role, the next start makes it."""
    own.start()
    with psycopg.connect(own.admin_url("postgres"), autocommit=True) as admin:
        admin.execute("drop role postgres")
    own.start()
    assert one(own.url("postgres"), "select current_user") == "postgres"


def test_another_programs_process_number_does_not_stop_it(own: Cluster, tmp_path: Path) -> None:
    """After a crash the number in the pid file may be anybody's, in a container it soon is."""
    own.start()
    pid_file = tmp_path / "home" / "postgres" / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    own.stop()
    other = subprocess.Popen([*unprivileged(), "sleep", "600"])
    try:
        pid_file.write_text("\n".join([str(other.pid), *lines[1:], ""]))
        give_away(pid_file)
        assert not own.running
        own.start()
        assert one(own.url("postgres"), "select 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_taken_port_is_replaced(own: Cluster) -> None:
    own.start()
    before = own.url("postgres")
    own.stop()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", int(before.rsplit(":", 1)[1].split("/")[0])))
        taken.listen()
        own.start()
        assert own.url("postgres") != before
        assert one(own.url("postgres"), "select 1") == 1


def test_a_server_that_cannot_start_is_one_line_with_its_log(own: Cluster, tmp_path: Path) -> None:
    own.start()
    own.stop()
    (tmp_path / "home" / "postgres" / "data" / "global" / "pg_control").unlink()
    with pytest.raises(PartError) as raised:
        own.start()
    assert "\n" not in str(raised.value)
    assert str(own.log) in str(raised.value)
    assert "pg_control" in str(raised.value) or "FATAL" in str(raised.value)


def test_the_servers_log_holds_no_value(own: Cluster) -> None:
    """Postgres quotes values in its errors and, by default, the failed statement."""
    own.start()
    with psycopg.connect(own.url("postgres"), autocommit=True) as connection:
        connection.execute("create temp table t (v text primary key)")
        for statement in (
            "insert into t values ('words of a teller'), ('words of a teller')",
            "select 'words'::int",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement.encode())
    own.stop()
    assert "shut down" in own.log.read_text()
    assert "words" not in own.log.read_text()
