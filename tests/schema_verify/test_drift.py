"""The drift drill: each change made by hand is found, named, and told once; what is not ours is not told."""

from __future__ import annotations

import psycopg
import pytest

from ledger_assets.schema import roles
from ledger_assets.schema.catalogue import Catalogue, read
from ledger_assets.schema.compare import Difference, differences

from .drifts import DRIFTS, FOREIGN


def found(made: Catalogue, connection: psycopg.Connection) -> list[Difference]:
    """What ``verify`` compares."""
    return [
        *differences(made.items, read(connection).items),
        *differences(roles.EXPECTED, roles.read(connection)),
    ]


def test_a_migrated_database_has_no_difference(made: Catalogue, admin: psycopg.Connection) -> None:
    assert [difference.line for difference in found(made, admin)] == []


@pytest.mark.parametrize("name", DRIFTS)
def test_a_drift_is_named_once(made: Catalogue, admin: psycopg.Connection, name: str) -> None:
    statements, kind, changed = DRIFTS[name]
    admin.execute(statements.encode())
    told = found(made, admin)
    assert [(one.kind, one.object) for one in told] == [(kind, changed)], [one.line for one in told]
    line = told[0].line
    assert line.startswith(f"{kind} {changed}: expected ")
    assert "\n" not in line
    assert line.partition(": expected ")[2].split("; found ")[0] != line.rpartition("; found ")[2]


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_not_ours_is_no_difference(made: Catalogue, admin: psycopg.Connection, name: str) -> None:
    admin.execute(FOREIGN[name].encode())
    assert [difference.line for difference in found(made, admin)] == []


def test_objects_have_a_name_each(made: Catalogue) -> None:
    assert len({item.key for item in made.items}) == len(made.items)


def test_every_schema_that_the_migrations_make_is_looked_at(
    admin: psycopg.Connection, made: Catalogue
) -> None:
    rows = admin.execute(
        "select nspname from pg_namespace where nspname !~ '^pg_' "
        "and nspname not in ('information_schema', 'auth', 'extensions', 'supabase_migrations')"
    ).fetchall()
    assert {name for (name,) in rows} == {item.name for item in made.items if item.kind == "schema"}


def test_the_value_of_a_setting_that_may_be_a_secret_is_not_told(
    made: Catalogue, admin: psycopg.Connection
) -> None:
    admin.execute("alter role anon set app.key = 'hidden-word'")
    (told,) = found(made, admin)
    assert told.object == "app.key of role anon"
    assert "hidden-word" not in f"{told}"
