"""Memory that is freed goes back to the system: long steps allocate and free large frames again and again.

What belongs here: the settings of the two allocators beneath Python, and of its collector. What does not: what is kept
(``ledger.shelf``). At 500,000 records a ledger took 820 MB, with both settings and the shelf 460 MB, in the same time.
"""

from __future__ import annotations

import gc
import os

_MMAP_THRESHOLD = -3
"""``M_MMAP_THRESHOLD`` of glibc's malloc.h."""
_LARGE_BYTES = 4 * 1024 * 1024


def set_polars() -> None:
    """Polars' allocator keeps what was freed for ten seconds unless told otherwise before Polars is imported.

    Not 0: then every frame's pages are taken from the system anew, which was 0.33 of a ledger's 1.9 s of CPU time at 50,000
    records, for 16 MB less.
    """
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:20,muzzy_decay_ms:0")


def look_rarely() -> None:
    """Python's collector looks through every new list after 700 (2,000 since 3.13) objects; ours hold records, not circles.

    At 50,000 records a lane took 14.1 s instead of 14.6.
    """
    gc.set_threshold(100_000, 20, 100)


def give_back() -> None:
    """glibc raises, with every large block that is freed, the size from which blocks are given back; where there is
    another libc, this does nothing."""
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
