"""Messages hold ids, counts, sizes, times and names; never what stands in an exception, a path or an address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_assets.backup import messages
from ledger_assets.backup.messages import Kind, Message
from ledger_assets.backup.retention import Decision
from ledger_assets.environment import Environment
from ledger_assets.errors import LedgerError, StoreError

AT = datetime(2026, 11, 22, 5, tzinfo=UTC)
ENV = Environment.STAGING
ID = "backup-1795323600-full"
RUN = "3f2a1b4c-0000-4000-8000-000000000000"
CANARY = "Aunty May's story"


class RowError(ValueError):
    """As a driver raises it: with the row in its text."""


def with_canary(canary: str) -> list[BaseException]:
    noted = RuntimeError("plain")
    noted.add_note(canary)
    chained = StoreError("snapshots/1: the object is missing: take another snapshot")
    chained.__cause__ = RowError(canary)
    second_line = StoreError(f"snapshots/1 is damaged: use another\n{canary}")
    return [
        RowError(f"DETAIL: Key (title)=({canary}) exists"),
        OSError(2, canary, f"/tmp/{canary}"),
        KeyError(canary),
        noted,
        chained,
        second_line,
    ]


BUILDERS: list[Callable[[str, BaseException], Message]] = [
    lambda text, error: messages.snapshot_taken(ENV, text, rows=1, size=1, seconds=1, at=AT),
    lambda text, error: messages.snapshot_verified(ENV, text, rows=1, seconds=1, at=AT),
    lambda text, error: messages.snapshot_failed(ENV, text, error, at=AT),
    lambda text, error: messages.verification_failed(ENV, text, differences=1, error=error, at=AT),
    lambda text, error: messages.run_failed(ENV, text, text, step=text, error=error, at=AT),
    lambda text, error: messages.run_failed(ENV, text, text, step=text, error=text, at=AT),
    lambda text, error: messages.check_failed(ENV, text, text, text, blocking=False, at=AT),
    lambda text, error: messages.restore_done(
        ENV, text, mode=text, inserted=1, updated=1, deleted=1, seconds=1, at=AT
    ),
    lambda text, error: messages.outbox_damaged([text], at=AT),
    lambda text, error: messages.health_bad(ENV, [text, text], at=AT),
]


@given(
    st.sampled_from(BUILDERS),
    st.sampled_from(
        [
            "{}",
            "/home/{}/x",
            "postgresql://u:{}@h/d",
            "backup-1-full {}",
            "a: {}",
            "{}\nb",
        ]
    ),
    st.sampled_from(range(6)),
)
def test_a_canary_never_passes(
    build: Callable[[str, BaseException], Message], around: str, which: int
) -> None:
    told = build(around.format(CANARY), with_canary(CANARY)[which])
    assert "Aunty" not in told.to_json()
    assert "May" not in told.to_json()


@given(st.text(min_size=1, max_size=400), st.sampled_from(BUILDERS))
def test_every_line_is_one_short_printable_line(
    text: str, build: Callable[[str, BaseException], Message]
) -> None:
    told = build(text, LedgerError(text))
    for line in (told.title, *told.lines):
        assert line.isprintable()
        assert len(line) < 500


def test_an_unknown_exception_gives_its_class_and_ours_its_line() -> None:
    assert messages.cause(RowError("secret")).startswith("RowError (")
    assert (
        messages.cause(StoreError("the bucket is missing: make it"))
        == "StoreError: the bucket is missing: make it"
    )


@pytest.mark.parametrize(
    "name",
    [
        "restores_exactly",
        "staging/snapshots/full",
        "migrate_production",
        "step[2026-11]",
        "storyteller:0b1c-2d",
        "OSError",
    ],
)
def test_names_of_ours_are_told(name: str) -> None:
    assert name in messages.run_failed(ENV, name, RUN, step=name, error=name, at=AT).lines[0]


def test_what_is_told() -> None:
    taken = messages.snapshot_taken(ENV, ID, rows=12_345, size=2_500_000, seconds=4.2, at=AT)
    assert taken.title == "Ledger staging: a snapshot was taken"
    assert taken.lines[0] == f"{ID}: 12,345 rows, 2.5 MB, 4 s."
    none = messages.absence(ENV, None, within=timedelta(hours=26), at=AT)
    assert none.lines[:2] == ("There is none.", "One is due every 26 hours.")
    refused = messages.retention_refused(
        ENV, Decision({ID: ("x",)}, (), f"the newest snapshot {ID} is failed"), at=AT
    )
    assert refused.lines[1] == f"Reason: the newest snapshot {ID} is failed."
    failed = messages.run_failed(
        Environment.PRODUCTION, "migrate_production", RUN, step="load", error=None, at=AT
    )
    assert failed.lines[0] == "Run 3f2a1b4c of migrate_production."
    for blocking, effect in (
        (True, "It stops what depends on it."),
        (False, "It stops nothing: look at it all the same."),
    ):
        assert messages.check_failed(ENV, "a/b", "c", RUN, blocking=blocking, at=AT).lines[1] == effect


def test_a_check_that_failed_is_a_warning_and_a_failed_run_a_failure() -> None:
    levels = {kind: Message(kind, "t", (), AT).level for kind in Kind}
    assert levels[Kind.CHECK_FAILED] == "warning"
    assert levels[Kind.ABSENCE] == levels[Kind.RUN_FAILED] == levels[Kind.VERIFICATION_FAILED] == "failure"
    assert levels[Kind.SNAPSHOT_VERIFIED] == "success"
    assert levels[Kind.TRIAL] == "info"


def test_a_message_comes_back_from_its_text_and_anything_else_is_refused() -> None:
    told = messages.trial(ENV, at=AT)
    assert Message.from_json(told.to_json()) == told
    for text in ("", "{}", "[]", "7", told.to_json()[:-3], told.to_json().replace("+00:00", "")):
        with pytest.raises((ValueError, KeyError, TypeError)):
            Message.from_json(text)
