"""How the engine tells how far it is, without knowing who listens.

The engine calls :func:`report`; a command registers one listener (its progress bars) with :func:`listen`.
Labels are table names and counts, never cell values.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, str, int, int | None], None]
"""(stage, label, done, total or None when unknown); called from several threads."""

_listeners: list[Listener] = []


def report(stage: str, label: str, done: int, total: int | None = None) -> None:
    """Tell the listeners that ``label`` of ``stage`` is at ``done`` of ``total``."""
    for listener in tuple(_listeners):
        listener(stage, label, done, total)


@contextmanager
def listen(listener: Listener) -> Iterator[None]:
    """Register ``listener`` for the length of the block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
