"""Fixtures of the export's tests: a scripted Airtable, a clock that nobody waits for, clients."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger_assets.extract.client import ATTEMPTS, AirtableClient
from ledger_assets.extract.limiter import Clock

from .scripted import BASE, KEY, ScriptedAirtable, serve


class TestClock:
    """A clock that stands still until somebody sleeps; ``slept`` keeps how long."""

    __test__ = False

    def __init__(self) -> None:
        self.time = time.time()
        self.slept: list[float] = []
        self._turn = threading.Lock()

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        with self._turn:
            self.time += seconds
            self.slept.append(seconds)

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.sleep)


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def scripted() -> Iterator[ScriptedAirtable]:
    """A scripted Airtable without tables."""
    with serve(ScriptedAirtable()) as airtable:
        yield airtable


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    return tmp_path / "locks"


NewClient = Callable[..., AirtableClient]


@pytest.fixture
def new_client(scripted: ScriptedAirtable, locks: Path, clock: TestClock) -> Iterator[NewClient]:
    """Makes clients of the scripted Airtable that share a lock folder and wait for nothing."""
    made: list[AirtableClient] = []

    def new(
        *,
        url: str = "",
        key: str = KEY,
        rate: float = 1000.0,
        timeout: float = 30.0,
        attempts: int = ATTEMPTS,
    ) -> AirtableClient:
        client = AirtableClient(
            url or scripted.url,
            key,
            BASE,
            requests_per_second=rate,
            lock_folder=locks,
            timeouts=(timeout, timeout),
            clock=clock.clock,
            attempts=attempts,
        )
        made.append(client)
        return client

    yield new
    for client in made:
        client.close()


@pytest.fixture
def client(new_client: NewClient) -> AirtableClient:
    return new_client()
