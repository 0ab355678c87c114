"""Two at once leave what one does."""

from __future__ import annotations

import pytest

from ..commands import COMMAND, ended, start
from ..conftest import Lane
from .conftest import Undisturbed, assert_undisturbed, environ_of, of_the_undisturbed_store

MONTHS = "2024-10..2025-12"


def test_two_migrations_at_once_leave_what_one_does(fresh: Lane, undisturbed: Undisturbed) -> None:
    """Both are right, or one says that the other is at work; never a mixture."""
    both = [start(environ_of(fresh), *COMMAND, "migrate", "staging") for _ in range(2)]
    results = [ended(process) for process in both]
    for done in results:
        assert done.returncode in (0, 2), done.stderr
        if done.returncode:
            assert len(done.stderr.splitlines()) == 1
            assert "is running already: wait until it has ended" in done.stderr
    assert 0 in {done.returncode for done in results}
    assert_undisturbed(fresh, undisturbed)


def test_two_loads_at_once_leave_what_one_does(
    fresh: Lane, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same stored export, into the same empty database."""
    lane = of_the_undisturbed_store(fresh, undisturbed, monkeypatch)
    both = [start(environ_of(lane), *COMMAND, "migrate", "staging", "--months", MONTHS) for _ in range(2)]
    results = [ended(process) for process in both]
    assert [done.returncode for done in results] == [0, 0], [done.stderr for done in results]
    assert sorted("\n0 rows written" in done.stdout for done in results) == [False, True]
    assert lane.content() == undisturbed.content
