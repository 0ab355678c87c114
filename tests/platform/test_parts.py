"""The embedded parts run while anybody needs them; the last one stops them; a killed one holds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from ledger_assets.demo.parts import EmbeddedParts
from ledger_assets.demo.postgres import Cluster

HOLD = """
import sys, pathlib
from ledger_assets.demo.parts import EmbeddedParts
with EmbeddedParts(pathlib.Path(sys.argv[1])) as parts:
    parts.postgres()
    print("ready", flush=True)
    sys.stdin.read()
"""


class User:
    """Another process that needs the parts until its stdin closes."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ready(self) -> User:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        return self

    def leave(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0

    def killed(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    yield home
    with EmbeddedParts(home):
        pass
    assert not Cluster(home).running


def server_number(home: Path) -> str:
    return (home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0]


def test_two_at_once_share_one_cluster_and_the_last_one_stops_it(home: Path) -> None:
    users = [User(home), User(home)]  # both meet an empty home
    first, second = (user.ready() for user in users)
    first.leave()
    assert Cluster(home).running
    second.leave()
    assert not Cluster(home).running


def test_a_killed_user_holds_nothing(home: Path) -> None:
    User(home).ready().killed()
    assert Cluster(home).running
    before = server_number(home)
    with EmbeddedParts(home) as parts:
        assert parts.postgres().running
        assert server_number(home) == before
    assert not Cluster(home).running


def test_users_within_one_process_count_one_by_one(home: Path) -> None:
    """A command needs the parts for Dagster's storage, and its run needs them again for the target."""
    with EmbeddedParts(home) as outer:
        outer.postgres()
        with EmbeddedParts(home) as inner:
            inner.postgres()
        with psycopg.connect(outer.postgres().url("postgres")) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    assert not Cluster(home).running


def test_a_long_lived_process_needs_them_to_its_end(home: Path) -> None:
    code = (
        "import sys, pathlib; from ledger_assets.demo.parts import EmbeddedParts\n"
        "print(EmbeddedParts(pathlib.Path(sys.argv[1])).acquire().postgres().running)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True\n", "")
    assert not Cluster(home).running


def test_the_folder_is_its_owners_alone(home: Path) -> None:
    with EmbeddedParts(home):
        assert home.stat().st_mode & 0o777 == 0o700
        assert home.stat().st_uid == os.geteuid()


def test_parts_that_nobody_entered_are_not_started(home: Path) -> None:
    with pytest.raises(RuntimeError, match="entered"):
        EmbeddedParts(home).postgres()
    assert not home.exists()


def test_the_local_airtable_server_answers_with_its_key_and_ends_with_its_last_user(home: Path) -> None:
    with EmbeddedParts(home) as parts:
        url, api_key = parts.airtable()
        with EmbeddedParts(home) as others:
            assert others.airtable() == (url, api_key)
        answer = requests.get(
            f"{url}/v0/meta/bases", headers={"Authorization": f"Bearer {api_key}"}, timeout=10
        )
        assert answer.status_code == 200
        assert (
            requests.get(
                f"{url}/v0/meta/bases", headers={"Authorization": "Bearer no"}, timeout=10
            ).status_code
            == 401
        )
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)


def test_a_killed_server_is_started_again(home: Path) -> None:
    with EmbeddedParts(home) as parts:
        parts.airtable()
        number = int((home / "airtable" / "server.pid").read_text())
        os.kill(number, 9)
        os.waitpid(number, 0)
        url, api_key = parts.airtable()
        answer = requests.get(
            f"{url}/v0/meta/bases", headers={"Authorization": f"Bearer {api_key}"}, timeout=10
        )
        assert answer.status_code == 200
