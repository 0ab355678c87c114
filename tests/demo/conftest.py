"""The two bases, made once; a server over a copy of its own for every test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyairtable
import pytest
import requests

from ledger_assets.demo.base import create_base
from ledger_assets.demo.server import LocalAirtable


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of both shapes; nobody writes to these."""
    folder = tmp_path_factory.mktemp("bases")
    for shape in ("empathy_ledger", "any_base"):
        create_base(folder / shape, shape=shape)
    return {shape: folder / shape for shape in ("empathy_ledger", "any_base")}


@pytest.fixture
def serve(bases: dict[str, Path], tmp_path: Path) -> Iterator[Callable[..., LocalAirtable]]:
    """Serves a copy of a base, without rate limit unless asked for."""
    with ExitStack() as stack:

        def start(shape: str = "empathy_ledger", **options: Any) -> LocalAirtable:
            copy = tmp_path / f"{shape}.sqlite"
            shutil.copy(bases[shape], copy)
            options.setdefault("requests_per_second", None)
            return stack.enter_context(LocalAirtable(copy, **options))

        yield start


@pytest.fixture
def server(serve: Callable[..., LocalAirtable]) -> LocalAirtable:
    """The five-table base, served."""
    return serve()


@pytest.fixture
def any_server(serve: Callable[..., LocalAirtable]) -> LocalAirtable:
    """The base of every shape, served."""
    return serve("any_base")


@pytest.fixture
def base(server: LocalAirtable) -> pyairtable.Base:
    """The five-table base, by pyairtable."""
    return pyairtable.Api(server.api_key, endpoint_url=server.url, retry_strategy=None).base(server.base_id)


@pytest.fixture
def session(server: LocalAirtable) -> Iterator[requests.Session]:
    """An HTTP session with the server's token."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {server.api_key}"
        yield session


def table_url(server: LocalAirtable, table: str) -> str:
    """Address of a table's records."""
    return f"{server.url}/v0/{server.base_id}/{requests.utils.quote(table, safe='')}"
