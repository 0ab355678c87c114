"""Fixtures of the health tests."""

from tests.health.hands import context, world

__all__ = ["context", "world"]
