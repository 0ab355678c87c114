"""A snapshot restored into a scratch database of a named server answers the access matrix as the database itself does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_assets.access.run import check_access
from ledger_assets.backup.restored import restore_folder
from ledger_assets.backup.scratch import scratch
from ledger_assets.demo.postgres import Cluster
from ledger_assets.load.connect import connect
from tests.backup.dumps import settings, taken, tools_of


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Cluster]:
    """A server that has never heard of Supabase."""
    cluster = Cluster(tmp_path / "bare", durable=False)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.mark.parametrize("role", ["postgres", "a superuser"])
@pytest.mark.parametrize("server", ["the database's own", "another"])
def test_a_restored_copy_passes_the_access_check(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path, server: str, role: str
) -> None:
    chosen: Cluster = request.getfixturevalue("bare" if server == "another" else "cluster")
    url = chosen.url("postgres") if role == "postgres" else chosen.admin_url("postgres")
    dumped = taken(database_url, tmp_path / "dump")
    tools = tools_of(database_url)
    with scratch(settings(tmp_path, scratch_url=url), tools.major) as made:
        restore_folder(made.admin_url, tmp_path / "dump", dumped.contents, tools=tools)
        with connect(made.url, application_name="tests") as connection:
            assert check_access(connection).lines == []
