"""Making the next piece while somebody takes the one before: COPY waits for the server most of its time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

T = TypeVar("T")
DEPTH = 2
"""Pieces that wait: memory is theirs, and more of them are not taken any sooner."""


def ahead(pieces: Iterable[T], *, depth: int = DEPTH) -> Iterator[T]:
    """The pieces in their order, made in one thread. What making one raises is raised where it is asked for."""
    source = iter(pieces)
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as maker:

        def order() -> Future[T | object]:
            return maker.submit(next, source, end)

        waiting = deque(order() for _ in range(depth))
        try:
            while (piece := waiting.popleft().result()) is not end:
                waiting.append(order())
                yield cast(T, piece)  # what is not the end is a piece
        finally:
            maker.shutdown(wait=True, cancel_futures=True)
