"""Only READ COMMITTED sees what a lock waited for: every other isolation level is refused, clearly, and before harm."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import IsolationLevel

from tests.consent.races import ACTS, ADD_PROTOCOL, LOADS, clear, lay, on, stale, withdrawal

REFUSED = "consent, privacy, reviews and shares are changed in READ COMMITTED transactions only"

OTHERS = {
    "truncate": ("truncate public.consents",),
    # Their first story may be on its way in another session.
    "withdraw without any story": (withdrawal("N"),),
    "protocol of a community without any story": (ADD_PROTOCOL,),
}


@pytest.fixture(scope="module")
def laid(furnished_url: str) -> Iterator[psycopg.Connection]:
    """One ground."""
    with psycopg.connect(furnished_url, autocommit=True) as connection:
        lay(connection, range(1, 2))
        yield connection
        clear(connection)


@pytest.mark.parametrize(
    "level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE], ids=lambda level: level.name
)
@pytest.mark.parametrize("act", [*ACTS, *LOADS, *OTHERS])
def test_every_act_is_refused_above_read_committed(
    laid: psycopg.Connection, furnished_url: str, level: IsolationLevel, act: str
) -> None:
    work = (ACTS | LOADS | OTHERS)[act]
    with psycopg.connect(furnished_url) as connection:
        connection.isolation_level = level
        with pytest.raises(psycopg.errors.InvalidTransactionState, match=REFUSED):
            connection.execute("; ".join(on(1, work)).encode())
        connection.rollback()
    assert stale(laid, range(1, 2)) == []


def test_words_that_change_no_visibility_may_be_written_in_any_isolation(
    laid: psycopg.Connection, furnished_url: str
) -> None:
    with psycopg.connect(furnished_url) as connection:
        connection.isolation_level = IsolationLevel.SERIALIZABLE
        connection.execute("update public.stories set title = 'another' where status = 'draft'")
        connection.execute("update public.storytellers set bio = 'another'")
        connection.rollback()
