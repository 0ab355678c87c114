"""Fixtures of the announcements' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.announce.world import World, world


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[World]:
    """A fresh world."""
    with world(tmp_path) as made:
        yield made
