"""What stands between pyrage and files or stores: counts, hashes, and failures that are not forgotten.

What belongs here: the two ends of an encryption. What does not: age, objects (``sealing``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Protocol

MOST_HEADER = 64 * 1024
"""Kept of what passes, to find an age header's end: one recipient takes 200 to 350 bytes, each further one 100."""


class Tap:
    """Counts and hashes what passes, and remembers the first failure.

    pyrage drops its buffered writer without looking at the last write: when the sink fails there, it returns normally
    and up to 64 KiB are missing (measured with 1.4.0: 0 of 824 bytes written, no exception).
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.size = 0
        self.head = b""
        self.failed: BaseException | None = None

    @property
    def sha256(self) -> str:
        """Of all that passed."""
        return self._digest.hexdigest()

    def passed(self, data: bytes) -> None:
        """Count and hash what went through."""
        self._digest.update(data)
        self.size += len(data)
        if len(self.head) < MOST_HEADER:
            self.head += data[: MOST_HEADER - len(self.head)]


class Source(Tap):
    """What pyrage reads from. ``read`` gives at most so many bytes, and none at the end."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        super().__init__()
        self._read = read

    def read(self, count: int = 64 * 1024) -> bytes:
        """For pyrage."""
        try:
            data = self._read(count)
        except BaseException as error:
            self.failed = error
            raise
        self.passed(data)
        return data


class Raw(Protocol):
    """An unbuffered file: it may take less than it was given."""

    def write(self, data: memoryview, /) -> int | None:
        """How many bytes were taken."""


class Sink(Tap):
    """What pyrage writes to."""

    def __init__(self, file: Raw) -> None:
        super().__init__()
        self._file = file

    def write(self, data: bytes) -> int:
        """For pyrage."""
        if self.failed is not None:
            raise self.failed
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except BaseException as error:
            self.failed = error
            raise
        self.passed(data)
        return len(data)

    def flush(self) -> None:
        """For pyrage, which never calls it."""


def reading(pieces: Iterator[bytes]) -> Callable[[int], bytes]:
    """Read like a file from what comes in pieces."""
    held = memoryview(b"")

    def read(count: int) -> bytes:
        nonlocal held
        while not held:
            piece = next(pieces, None)
            if piece is None:
                return b""
            held = memoryview(piece)
        data, held = bytes(held[:count]), held[count:]
        return data

    return read
