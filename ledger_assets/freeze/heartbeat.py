"""The heartbeat of a lease: a thread with a connection of its own that renews it while its process lives.

What belongs here: renewing, and knowing when the lease can no longer be relied on. What does not: ending the freeze: a
process that ends without thawing leaves that to the lease.

Invariants: alive means that less than the lease's length has passed since the last renewal was *sent*, by a clock that
goes on while the process is stopped; a token that is no longer ours never becomes ours again.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ledger_assets.errors import LedgerError, TargetError
from ledger_assets.freeze.act import LEASE_SECONDS, renew

if TYPE_CHECKING:
    import psycopg


class Heartbeat:
    """``with Heartbeat(url, token) as beat: ...; beat.assert_alive()``."""

    def __init__(
        self, url: str, token: int, *, seconds: float = LEASE_SECONDS, every: float | None = None
    ) -> None:
        self.token = token
        self._url = url
        self._seconds = seconds
        self._every = every or min(5.0, seconds / 6)
        self._stop = threading.Event()
        self._taken = False
        self._renewed = 0.0
        self._connection: psycopg.Connection | None = None
        self._thread = threading.Thread(target=self._run, name=f"ledger-heartbeat-{token}", daemon=True)

    def __enter__(self) -> Self:
        """Renew once, then go on in the thread. Raises TargetError when the freeze is no longer ours."""
        self._beat()
        try:
            self.assert_alive()
        except TargetError:
            self._close()
            raise
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop renewing. The freeze stays until it is thawed or runs out."""
        self._stop.set()
        self._thread.join(self._seconds)

    def alive(self) -> bool:
        """Whether the lease can be relied on now."""
        return not self._taken and time.monotonic() < self._renewed + self._seconds

    def assert_alive(self) -> None:
        """Raises TargetError when it cannot."""
        if not self.alive():
            why = "was ended or taken over" if self._taken else "could not be renewed in time"
            raise TargetError(
                f"the lease of the freeze with token {self.token} {why}: people may have written since; start the "
                "cut-over again"
            )

    def _run(self) -> None:
        while not self._taken and not self._stop.wait(self._every):
            self._beat()
        self._close()

    def _beat(self) -> None:
        """One renewal. A database that does not answer is asked again at the next beat."""
        import psycopg

        sent = time.monotonic()
        try:
            if self._connection is None:
                self._connection = self._connect()
            ours = renew(self._connection, self.token, self._seconds)
        except psycopg.errors.LockNotAvailable:
            return  # a switch or a hold is being committed
        except (psycopg.Error, LedgerError):
            self._close()
            return
        if ours:
            self._renewed = sent
        else:
            self._taken = True

    def _connect(self) -> psycopg.Connection:
        from ledger_assets.load.connect import connect

        connection = connect(self._url, application_name=f"ledger:heartbeat:{self.token}")
        timeout = f"{max(1, round(self._every * 1000))}ms"
        with connection.transaction():
            connection.execute("select set_config('lock_timeout', %s, false)", (timeout,))
            connection.execute("select set_config('statement_timeout', %s, false)", (timeout,))
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
