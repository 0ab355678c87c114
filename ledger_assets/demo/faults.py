"""What tests make go wrong on purpose, the requests' log, and the base's rate limit.

Invariants: a fault applies to so many requests and no more; the log holds no token and no body.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

TOLERANCE = 0.9
"""A second is this long for the limiter: requests sent 0.2 s apart do not arrive so to the millisecond."""


@dataclass(frozen=True)
class Request:
    """A request as the server saw it. ``time`` is of the monotonic clock, ``status`` of the answer."""

    method: str
    path: str
    query: str
    status: int
    time: float


@dataclass
class Fault:
    """What happens to the next ``times`` requests (None: all) whose line holds ``contains``.

    ``status`` and ``body`` replace the answer; ``garbage``: its text is no JSON; ``cut``: its second half is
    missing and the connection ends; ``delay``: seconds before it. ``after``: so many matching requests pass first.
    """

    contains: str = ""
    status: int | None = None
    body: str | bytes | None = None
    times: int | None = 1
    after: int = 0
    garbage: bool = False
    cut: bool = False
    delay: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)


class Faults:
    """The scripted faults. Safe to use from any thread.

    ``latency``: seconds before every answer, or (least, most).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._random = random.Random(1)  # noqa: S311 - latencies, not keys
        self.latency: float | tuple[float, float] = 0.0
        self.offsets_expired = 0

    def add(
        self,
        path_contains: str = "",
        status: int | None = None,
        body: str | bytes | None = None,
        times: int | None = 1,
        *,
        after: int = 0,
        garbage: bool = False,
        cut: bool = False,
        delay: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> Fault:
        """Script a :class:`Fault` for requests whose ``METHOD /path?query`` contains ``path_contains``."""
        fault = Fault(path_contains, status, body, times, after, garbage, cut, delay, headers or {})
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """No faults and no latency from now on."""
        with self._lock:
            self._faults.clear()
        self.latency = 0.0

    def expire_offsets(self) -> None:
        """Every offset given so far answers 422 from now on, as after a restart of Airtable's server."""
        self.offsets_expired += 1

    def take(self, line: str) -> Fault | None:
        """The fault for this request, counted down."""
        with self._lock:
            for fault in self._faults:
                if fault.contains not in line or fault.times == 0:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def pause(self) -> float:
        """Seconds of latency for one request."""
        latency = self.latency
        return latency if isinstance(latency, int | float) else self._random.uniform(*latency)


class RateLimit:
    """So many requests per second; one more, and all are refused for the penalty."""

    def __init__(
        self,
        requests_per_second: float | None,
        penalty_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.penalty_seconds = penalty_seconds
        self._clock = clock
        self._until = 0.0
        self._times: deque[float] | None = None
        if requests_per_second is not None and requests_per_second < 10_000:
            burst = max(1, round(requests_per_second))
            self._times = deque(maxlen=burst)
            self._window = burst / requests_per_second * TOLERANCE

    def allows(self) -> bool:
        """Count one request. False: refused."""
        now = self._clock()
        if now < self._until:
            return False
        if self._times is None:
            return True
        if len(self._times) == self._times.maxlen and now - self._times[0] < self._window:
            self._until = now + self.penalty_seconds
            return False
        self._times.append(now)
        return True
