"""A scratch database is there for a block of code and gone afterwards, however that ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from ledger_assets.backup.scratch import scratch
from ledger_assets.demo.postgres import Cluster
from ledger_assets.errors import TargetError
from tests.backup.dumps import settings

MAJOR = 18


def test_it_is_an_empty_database_on_this_machine_with_what_supabase_gives(tmp_path: Path) -> None:
    with scratch(settings(tmp_path), MAJOR) as made, psycopg.connect(made.url) as conn:
        assert conn.execute("select current_user, inet_server_addr()::text").fetchone() == (
            "postgres",
            "127.0.0.1/32",
        )
        assert conn.execute("select count(*) from auth.users").fetchone() == (0,)
        assert conn.execute(
            "select count(*) from pg_class where relnamespace = 'public'::regnamespace"
        ).fetchone() == (0,)
        assert conn.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        (folder,) = (tmp_path / "scratch").iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert "password" not in repr(made)
        assert str(psycopg.conninfo.conninfo_to_dict(made.url)["password"]) not in repr(made)
    assert list((tmp_path / "scratch").iterdir()) == []
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(made.url)


def test_it_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch(settings(tmp_path), MAJOR):
        raise ZeroDivisionError
    assert list((tmp_path / "scratch").iterdir()) == []


HOLDER = """
import sys, time
from pathlib import Path
from ledger_assets.backup.scratch import scratch
from tests.backup.dumps import settings
with scratch(settings(Path(sys.argv[1])), 18):
    print("made", flush=True)
    sys.stdin.read()
"""


def holder(home: Path) -> subprocess.Popen[str]:
    """A process that holds a scratch database."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "made\n"
    return process


def servers(home: Path) -> list[int]:
    return [
        p.pid
        for p in psutil.process_iter(["cmdline"])
        if any(str(home) in a for a in p.info["cmdline"] or [])
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_is_gone_after_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    process = holder(tmp_path)
    process.send_signal(number)
    process.communicate()
    assert process.returncode != 0
    assert list((tmp_path / "scratch").iterdir()) == []
    assert servers(tmp_path) == []


def test_what_a_killed_process_left_is_taken_away_by_the_next_and_what_lives_is_not(tmp_path: Path) -> None:
    alive, killed = holder(tmp_path), holder(tmp_path)
    killed.kill()
    killed.communicate()
    assert len(list((tmp_path / "scratch").iterdir())) == 2
    with scratch(settings(tmp_path), MAJOR) as made:
        assert len(list((tmp_path / "scratch").iterdir())) == 2
        psycopg.connect(made.url).close()
    assert len(servers(tmp_path)) >= 1
    alive.communicate("")
    assert alive.returncode == 0
    assert list((tmp_path / "scratch").iterdir()) == []
    assert servers(tmp_path) == []


@pytest.mark.usefixtures(
    "empty_template"
)  # the shim makes the server's roles first: other tests look at them
def test_a_named_server_gets_a_database_and_loses_it_again(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.url("postgres")

    def databases() -> set[str]:
        with psycopg.connect(url) as conn:
            return {name for (name,) in conn.execute("select datname from pg_database")}

    before = databases()
    with scratch(settings(tmp_path, scratch_url=url), MAJOR) as made:
        with psycopg.connect(made.url) as conn:
            assert conn.execute("select auth.uid() is null").fetchone() == (True,)
        assert len(databases() - before) == 1
    assert databases() == before
    with pytest.raises(ZeroDivisionError), scratch(settings(tmp_path, scratch_url=url), MAJOR):
        raise ZeroDivisionError
    assert databases() == before


@pytest.mark.parametrize(
    ("url", "major", "told"),
    [
        (None, 19, "is Postgres 18, this snapshot needs 19"),
        ("postgresql://u:p@127.0.0.1:1/x", 15, "SCRATCH_DATABASE_URL"),
    ],
)
def test_a_named_server_that_does_not_do_is_refused(
    cluster: Cluster, tmp_path: Path, url: str | None, major: int, told: str
) -> None:
    chosen = settings(tmp_path, scratch_url=url or cluster.url("postgres"))
    with pytest.raises(TargetError, match=told), scratch(chosen, major):
        pass
