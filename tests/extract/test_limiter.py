"""One request budget per base, whoever asks."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ledger_assets.errors import LedgerError
from ledger_assets.extract.limiter import HEADROOM, Clock, RateLimiter, locked, only_one

from .conftest import TestClock

INTERVAL = 1 / (5.0 * HEADROOM)


def limiter(file: Path, clock: TestClock, *, penalty: float = 30.0) -> RateLimiter:
    return RateLimiter(file, requests_per_second=5.0, penalty_seconds=penalty, clock=clock.clock)


def test_requests_are_spaced_so_that_six_never_fall_into_one_second(tmp_path: Path, clock: TestClock) -> None:
    one = limiter(tmp_path / "slot", clock)
    left = []
    for _ in range(20):
        one.wait()
        left.append(clock.now())
    assert all(later - earlier > 1.03 for earlier, later in zip(left, left[5:], strict=False))
    assert left[-1] - left[0] == pytest.approx(19 * INTERVAL, rel=0.001)


def test_a_penalty_holds_for_every_limiter_of_the_file(tmp_path: Path, clock: TestClock) -> None:
    first, second = limiter(tmp_path / "slot", clock), limiter(tmp_path / "slot", clock)
    first.wait()
    started = clock.now()
    first.penalise()
    second.wait()
    assert clock.now() - started >= 30.0


def test_a_penalty_set_while_somebody_waits_holds_for_the_waiter(tmp_path: Path, clock: TestClock) -> None:
    """A slot reserved before the 429 must not be used inside the penalty: that would start it anew."""
    other = limiter(tmp_path / "slot", clock)
    set_at: list[float] = []

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if not set_at:
            set_at.append(clock.now())
            other.penalise()

    one = RateLimiter(
        tmp_path / "slot", requests_per_second=5.0, penalty_seconds=30.0, clock=Clock(clock.now, sleep)
    )
    one.wait()
    one.wait()
    assert clock.now() >= set_at[0] + 30.0


@pytest.mark.parametrize(
    "content", [b"", b"garbage\n", b"9e999\n", b"0000000009999999999.000000\n", b"nan\n"]
)
def test_a_damaged_file_or_a_clock_set_back_stops_nobody(
    tmp_path: Path, clock: TestClock, content: bytes
) -> None:
    (tmp_path / "slot").write_bytes(content)
    started = clock.now()
    limiter(tmp_path / "slot", clock).wait()
    assert clock.now() == started


PROCESS = """
import sys
from pathlib import Path
from ledger_assets.extract.limiter import Clock, RateLimiter
one = RateLimiter(Path(sys.argv[1]), requests_per_second=100.0, penalty_seconds=30.0, clock=Clock())
for _ in range(30):
    one.wait()
"""


def test_two_processes_share_one_budget(tmp_path: Path) -> None:
    """Apart they would need 29 intervals side by side; together never less than 59 on any machine."""
    started = time.time()
    processes = [subprocess.Popen([sys.executable, "-c", PROCESS, str(tmp_path / "slot")]) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    # Read from the file, not from the clock: the moment from which request 61 may leave.
    assert float((tmp_path / "slot").read_text()) - started >= 59 / (100.0 * HEADROOM)


def test_threads_share_one_budget(tmp_path: Path, clock: TestClock) -> None:
    one = limiter(tmp_path / "slot", clock)
    started = clock.now()
    threads = [threading.Thread(target=lambda: [one.wait() for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert float((tmp_path / "slot").read_text()) - started >= 40 * INTERVAL - 0.001


def test_nobody_takes_a_slot_while_another_is_taking_one(tmp_path: Path, clock: TestClock) -> None:
    """Two that read the same moment would send two requests at it."""
    one = limiter(tmp_path / "slot", clock)
    taken = threading.Event()
    thread = threading.Thread(target=lambda: (one.wait(), taken.set()))
    with locked(tmp_path / "slot"):
        thread.start()
        assert not taken.wait(0.2)
    assert taken.wait(60)
    thread.join()


def test_only_one_holds_a_lock_and_its_end_frees_it(tmp_path: Path) -> None:
    file = tmp_path / "locks" / "one.lock"
    with only_one(file, "busy"), pytest.raises(LedgerError, match="busy"), only_one(file, "busy"):
        pytest.fail("two hold it")
    with only_one(file, "busy"):
        assert file.parent.stat().st_mode & 0o777 == 0o700
