"""A database with all migrations and the bodies that every world stands on, copied per module from one template.

What belongs here: databases and hypothesis' profiles. What does not: worlds.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from psycopg import sql

from ledger_assets.demo.postgres import OWNER, Cluster
from tests.consent.hand import Hand

_numbers = itertools.count(1)
_HEALTH = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
# Without shrinking: a failure is told in seconds, and nightly makes it small.
settings.register_profile(
    "consent",
    max_examples=40,
    stateful_step_count=12,
    derandomize=True,
    deadline=None,
    suppress_health_check=_HEALTH,
    phases=[Phase.explicit, Phase.generate],
)
settings.register_profile(
    "consent_nightly",
    max_examples=2000,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=_HEALTH,
)
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "consent_nightly"
PROFILE = settings.get_profile("consent_nightly" if NIGHTLY else "consent")


def copy_of(cluster: Cluster, template: str) -> Iterator[str]:
    """Address of a copy that is dropped at the end, and that notices a deadlock at once."""
    name = f"consent_{next(_numbers)}"
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        new = sql.Identifier(name)
        admin.execute(
            sql.SQL("create database {} template {} owner {}").format(
                new, sql.Identifier(template), sql.Identifier(OWNER)
            )
        )
        admin.execute(sql.SQL("alter database {} set deadlock_timeout = '20ms'").format(new))
        yield cluster.url(name)
        admin.execute(sql.SQL("drop database {} with (force)").format(new))


@pytest.fixture(scope="module")
def furnished_url(cluster: Cluster, migrated_template: str) -> Iterator[str]:
    """A database with communities, interviews and accounts, and no story."""
    for url in copy_of(cluster, migrated_template):
        with psycopg.connect(url) as connection:
            Hand(connection).furnish()
        yield url


@pytest.fixture(scope="module")
def furnished(furnished_url: str) -> Iterator[psycopg.Connection]:
    """One connection to it; each example rolls back."""
    with psycopg.connect(furnished_url) as connection:
        yield connection
