"""A watch: until its time is over, or until something is bad twice in a row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger_assets.health import Measure, Report, watch
from tests.health.hands import NOW


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


def report(*, bad: bool) -> Report:
    return Report("staging", "t", NOW, (Measure("locks", "bad" if bad else "ok", "v", "t", "r"),))


def looks(answers: list[bool], minutes: float, interval: float) -> tuple[int, bool, tuple[str, ...], float]:
    """How often it looked, whether it passed, what stopped it, and how long it took; ``answers`` repeat."""
    clock, given_out = Clock(), 0

    def measure() -> Report:
        nonlocal given_out
        given_out += 1
        return report(bad=answers[(given_out - 1) % len(answers)])

    watched = watch(measure, minutes, interval, clock)
    assert watched.looks == given_out
    return watched.looks, watched.passed, watched.stopped, clock.seconds - 100


def test_a_quiet_night_is_watched_to_its_end() -> None:
    assert looks([False], 120, 60) == (121, True, (), 7200)


def test_bad_once_goes_on_and_bad_twice_stops_at_once() -> None:
    assert looks([False, True, False, False], 10, 60) == (11, True, (), 600)
    assert looks([False, True, True, False], 120, 60) == (3, False, ("locks",), 120)


def test_no_minutes_are_one_look() -> None:
    assert looks([True], 0, 60) == (1, False, (), 0)
    assert looks([False], 0, 60) == (1, True, (), 0)


def test_what_is_bad_in_the_last_look_is_looked_at_once_more() -> None:
    assert looks([False, False, True, False], 2, 60) == (4, True, (), 180)
    assert looks([False, False, True, True], 2, 60) == (4, False, ("locks",), 180)


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 20), st.integers(10, 120))
def test_it_ends_in_time_and_for_the_reason_it_tells(
    answers: list[bool], minutes: int, interval: int
) -> None:
    number, passed, stopped, seconds = looks(answers, minutes, interval)
    given_out = [answers[n % len(answers)] for n in range(number)]
    twice = [n for n in range(1, number) if given_out[n] and given_out[n - 1]]
    assert twice == ([number - 1] if stopped else [])
    assert passed is not bool(given_out[-1])
    assert seconds == (number - 1) * interval
    assert seconds < minutes * 60 + 2 * interval
    assert stopped or seconds >= minutes * 60
