"""What a person reads when the target database cannot be used: one line, the remedy, never the address."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster
from ledger_assets.errors import TargetError
from ledger_assets.load.connect import connect, preflight
from tests.platform.pooler import pooler


def message(url: str) -> str:
    password = urlsplit(url).password
    with pytest.raises(TargetError) as raised:
        connect(url, application_name="tests")
    text = str(raised.value)
    assert "\n" not in text
    assert password is None or password not in text
    assert "postgresql://" not in text or "user:password@host" in text
    return text


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where nothing listens, held so that nothing will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_wrong_password(empty_database_url: str) -> None:
    wrong = empty_database_url.replace("postgres:", "postgres:not-", 1)
    assert "refuses the password of postgres: correct the database URL" in message(wrong)


def test_a_missing_database(cluster: Cluster) -> None:
    assert "has no database nowhere: create it" in message(cluster.url("nowhere"))


def test_a_host_that_does_not_exist() -> None:
    assert "no host has the name db.invalid" in message("postgresql://u:sentinel-word@db.invalid/ledger")


def test_nothing_listens(silent_port: int) -> None:
    assert "nothing listens there" in message(f"postgresql://u:sentinel-word@127.0.0.1:{silent_port}/ledger")


def test_a_server_without_tls_elsewhere_is_refused(cluster: Cluster) -> None:
    """A host of another name than this machine's is asked for TLS: the password would travel readable."""
    url = (
        cluster.url("postgres")
        .replace("sslmode=disable", "hostaddr=127.0.0.1")
        .replace("@127.0.0.1", "@db.example")
    )
    assert "does not offer TLS" in message(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:sentinel%zzword@host/ledger",
        "postgresql://u:sentinel-word@host/ledger?sentinel-option=1",
        "postgresql://u:sentinel word@host:port/ledger",
        "host=here sentinel-word",
    ],
)
def test_an_address_that_cannot_be_read_is_not_quoted(url: str) -> None:
    with pytest.raises(TargetError) as raised:
        connect(url, application_name="tests")
    assert "sentinel" not in str(raised.value)
    assert "DATABASE_URL" in str(raised.value)


def test_a_role_that_would_not_see_every_row_is_refused(cluster: Cluster, empty_database_url: str) -> None:
    """Under row-level security a count is 0 and a success."""
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute("create role narrow login password 'narrow-word'")
    parts = urlsplit(empty_database_url)
    assert "has no BYPASSRLS" in message(
        f"postgresql://narrow:narrow-word@127.0.0.1:{parts.port}{parts.path}"
    )


def test_a_superuser_is_warned_about(cluster: Cluster, empty_database_url: str) -> None:
    with connect(empty_database_url, application_name="tests") as connection:
        assert preflight(connection) == []
    with connect(cluster.admin_url("postgres"), application_name="tests") as connection:
        assert ["superuser" in warning for warning in preflight(connection)] == [True]


def test_the_session_is_ready_for_a_load(empty_database_url: str) -> None:
    with connect(empty_database_url, application_name="ledger:staging:tests") as connection:
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        connection.rollback()  # what was set must not go with a rolled back transaction
        settings = ("row_security", "timezone", "statement_timeout", "application_name")
        row = connection.execute(
            f"select {', '.join(f'current_setting({s!r})' for s in settings)}".encode()
        ).fetchone()
    assert row == ("off", "UTC", "0", "ledger:staging:tests")


def test_a_pooler_in_transaction_mode_is_refused(empty_database_url: str) -> None:
    """Settings, locks and temporary tables would be another client's after each transaction."""
    with pooler(empty_database_url, transaction_mode=True) as port:
        assert "pooler in transaction mode" in message(
            f"postgresql://u:word@127.0.0.1:{port}/x?sslmode=disable"
        )


def test_a_pooler_in_session_mode_is_accepted(empty_database_url: str) -> None:
    with (
        pooler(empty_database_url, transaction_mode=False) as port,
        connect(
            f"postgresql://u:word@127.0.0.1:{port}/x?sslmode=disable", application_name="tests"
        ) as connection,
    ):
        assert connection.execute("show row_security").fetchone() == ("off",)
