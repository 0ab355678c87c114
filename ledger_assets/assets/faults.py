"""What an asset step may tell Dagster when it fails: one line, never a cell's value or a secret.

Exceptions of drivers and libraries carry row values in their text (psycopg's DETAIL, Pandera's failure cases), and
Dagster stores what an op raises for ever. So nothing but our own messages passes; of anything else only the kind
and the place do.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from ledger_assets.environment import Environment
from ledger_assets.errors import LedgerError, named
from ledger_assets.unexpected import place

EXIT_CODE = "exit_code"


@contextmanager
def one_line_failures(environment: Environment) -> Iterator[None]:
    """Turn errors into :class:`dagster.Failure` without cause, context or values; never retried."""
    try:
        yield
    except (dg.Failure, GeneratorExit):
        raise
    except LedgerError as error:
        raise dg.Failure(
            description=named(str(error), environment),
            metadata={EXIT_CODE: error.exit_code},
            allow_retries=False,
        ) from None
    except Exception as error:  # noqa: BLE001 - the message may hold cell values; see the module docstring
        raise dg.Failure(description=place(error), metadata={EXIT_CODE: 2}, allow_retries=False) from None
