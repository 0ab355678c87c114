"""Fixtures of the records' tests."""

from tests.health.hands import context, world

__all__ = ["context", "world"]
