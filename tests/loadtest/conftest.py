"""Fixtures of the load tests."""

from tests.health.hands import context, world

__all__ = ["context", "world"]
