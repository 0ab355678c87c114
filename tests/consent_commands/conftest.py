"""Fixtures: a fresh migrated database, its world, and the commands on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster

from .world import Command, World


@pytest.fixture
def world(conn: psycopg.Connection) -> World:
    """An empty world."""
    return World(conn)


@pytest.fixture
def command(tmp_path: Path, database_url: str) -> Command:
    """``ledger-assets`` on the world's database."""
    return Command(tmp_path / "ledger", database_url)


@pytest.fixture
def listing(tmp_path: Path) -> Callable[..., Path]:
    """Writes a list of (story, circle) with a note that holds a name."""

    def write(*rows: tuple[str, str]) -> Path:
        path = tmp_path / "list.csv"
        lines = [f"{story},{circle},Xanthorrhoea agreed" for story, circle in rows]
        path.write_text("\n".join(["story,circle,note", *lines]))
        return path

    return write


@pytest.fixture
def cluster_watch(cluster: Cluster, conn: psycopg.Connection) -> Callable[[], None]:
    """Waits until some session waits for a lock that the world's connection holds."""

    def watch() -> None:
        with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                waiting = admin.execute(
                    "select from pg_stat_activity where %s = any (pg_blocking_pids(pid))",
                    (conn.info.backend_pid,),
                ).fetchone()
                if waiting is not None:
                    return
        raise AssertionError("nobody waits")

    return watch
