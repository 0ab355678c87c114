"""After a load: what was written is vacuumed, on one connection or two, and nothing else is."""

from __future__ import annotations

import psycopg
import pytest
from load_world import World, run

from ledger_assets.load import tidy

WRITTEN = ["credits", "people", "records", "works"]


def vacuumed(db: psycopg.Connection) -> dict[str, int]:
    with db.transaction():
        db.execute("select pg_stat_force_next_flush()")
    with db.transaction():
        rows = db.execute(
            "select relname, vacuum_count from pg_stat_user_tables where vacuum_count > 0 and analyze_count > 0"
        ).fetchall()
    return dict(rows)


@pytest.mark.parametrize("refused", [False, True], ids=["two connections", "the server has no other left"])
def test_what_was_written_is_vacuumed_once(
    db: psycopg.Connection, world: World, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    if refused:

        def refuse(*_args: object) -> None:
            raise psycopg.OperationalError("too many connections")

        monkeypatch.setattr(tidy.psycopg, "connect", refuse)
    assert run(db, world).committed
    assert not db.autocommit
    assert vacuumed(db) == dict.fromkeys(WRITTEN, 1)
    assert run(db, world).written == 0
    assert vacuumed(db) == dict.fromkeys(WRITTEN, 1)


def test_a_load_stands_though_vacuum_is_refused(
    db: psycopg.Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise psycopg.errors.InsufficientPrivilege

    monkeypatch.setattr(tidy, "_vacuum", refuse)
    assert run(db, world).committed
    assert vacuumed(db) == {}
