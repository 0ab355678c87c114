"""Is the live database's schema what the migrations make? Every difference, and what it was compared with.

What belongs here: which expectation is used and what is left out. What does not: telling it to a person (``cli``).

Invariants: nothing is written to the database that is looked at; the expectation comes from the migrations, never
from the live database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

import psycopg

from ledger_assets.errors import TargetError
from ledger_assets.load import schema
from ledger_assets.schema import catalogue, expected, roles
from ledger_assets.schema.catalogue import Catalogue
from ledger_assets.schema.compare import Difference, differences

Scratch = Callable[[psycopg.Connection], AbstractContextManager[psycopg.Connection]]
MIGRATION = "migration"
QUERY = "query"


@dataclass(frozen=True)
class Verification:
    """The answer; ``against`` says what the database was compared with."""

    against: str
    objects: int
    differences: tuple[Difference, ...]


def verify(connection: psycopg.Connection, scratch: Scratch) -> Verification:
    """Compare with the migrations applied to ``scratch``'s database, or with the release's file where none may be made."""
    return compared(connection, *expectation(connection, scratch))


def compared(connection: psycopg.Connection, made: Catalogue, against: str) -> Verification:
    """Compare with an expectation that is known already."""
    present = catalogue.read(connection)
    # Since 16 a view's query is written otherwise; its columns, options and grants are compared all the same.
    if made.major != present.major:
        against += f" made on Postgres {made.major}: queries of views are not compared"
        made, present = _without_queries(made), _without_queries(present)
    found = [
        *_migrations(connection),
        *differences(made.items, present.items),
        *differences(roles.EXPECTED, roles.read(connection)),
    ]
    return Verification(against, len(made.items) + len(roles.EXPECTED), tuple(found))


def expectation(connection: psycopg.Connection, scratch: Scratch) -> tuple[Catalogue, str]:
    """What the migrations make, and where that is known from."""
    with ExitStack() as stack:
        try:
            beside = stack.enter_context(scratch(connection))
        except psycopg.Error as error:  # CREATE DATABASE is not allowed, or not possible here
            reason = type(error).__name__
        else:
            return catalogue.read(beside), "the migrations in a scratch database"
    return expected.shipped(), f"the release's catalogue (no scratch database: {reason})"


def _without_queries(read: Catalogue) -> Catalogue:
    return Catalogue(read.major, tuple(item for item in read.items if item.kind != QUERY))


def _migrations(connection: psycopg.Connection) -> Iterable[Difference]:
    """What is not applied, was applied with another text, or is not of this release."""
    try:
        for name in schema.pending(connection):
            yield Difference(MIGRATION, name, "applied", "not applied")
    except TargetError as error:
        yield Difference(MIGRATION, "record", "each as its file", str(error))
    known = {migration.version for migration in schema.migrations()}
    for version in schema.recorded_versions(connection):
        if version not in known:
            yield Difference(MIGRATION, version, None, "applied")
