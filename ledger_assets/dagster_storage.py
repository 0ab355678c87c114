"""Dagster's own storage: Postgres, with a small pool of connections instead of one connection per event.

What belongs here: the class that ``dagster.yaml`` names, so that web server, daemon, code servers and
commands all get it. What does not: anything of ours; Dagster alone imports it.

``dagster_postgres`` opens a connection per group of statements: a full run of this graph opens some 270 and
takes 2.6-3.6 s instead of 1.0-1.3 s (measured). The engines are a private attribute of the exact version that
``pyproject.toml`` pins; a test notices when that changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dagster._serdes import ConfigurableClassData

POOL: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",
    # Dagster takes a second one while it holds the first; threads that log at once borrow more and close them.
    "pool_size": 2,
    "max_overflow": 3,
    "pool_recycle": 300,
    # Postgres may have been restarted since: a dead connection is replaced instead of failing the run.
    "pool_pre_ping": True,
}


def _until_there(ask: Callable[..., bool]) -> Callable[..., bool]:
    """``ask`` for the table or column that is its last argument, until it is there.

    Dagster reads the catalogue before every asset event: a quarter of what a full run waits for its storage.
    """
    there: set[str] = set()

    def asked(*arguments: Any) -> bool:
        name = arguments[-1]
        if name not in there and ask(*arguments):
            there.add(name)
        return name in there

    return asked


class PooledPostgresStorage(DagsterPostgresStorage):
    """Runs, events and schedules in Postgres, pooled."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine.dispose()
            storage._engine = create_pg_engine(self.postgres_url, **POOL)
        events: Any = self._event_log_storage
        events.has_table = _until_there(events.has_table)
        events._has_asset_key_col_on_connection = _until_there(events._has_asset_key_col_on_connection)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PooledPostgresStorage:
        """Made by Dagster from ``dagster.yaml``.

        The driver is named: SQLAlchemy 2.1 would pick psycopg 3, with which runs fail at NOTIFY.
        """
        url = pg_url_from_config(config_value)
        scheme, separator, rest = url.partition("://")
        driver = "postgresql+psycopg2" if scheme in {"postgres", "postgresql"} else scheme
        return cls(
            inst_data=inst_data,
            postgres_url=f"{driver}{separator}{rest}",
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
        )
