"""What an asset step may tell Dagster when it fails: one line, never a cell's value or a secret.

Exceptions of drivers and libraries carry row values in their text (psycopg's DETAIL, Pandera's failure cases), and
Dagster stores what an op raises for ever. So nothing but our own messages passes; of anything else only the kind
and the place do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb

import dagster as dg

from ledger_assets.errors import LedgerError
from ledger_assets.storage import DISK_FULL

PACKAGE = Path(__file__).resolve().parent.parent
EXIT_CODE = "exit_code"


@contextmanager
def one_line_failures() -> Iterator[None]:
    """Turn errors into :class:`dagster.Failure` without cause, context or values; never retried."""
    try:
        yield
    except (dg.Failure, GeneratorExit):
        raise
    except LedgerError as error:
        raise dg.Failure(
            description=str(error), metadata={EXIT_CODE: error.exit_code}, allow_retries=False
        ) from None
    except Exception as error:  # noqa: BLE001 - the message may hold cell values; see the module docstring
        raise dg.Failure(description=place(error), metadata={EXIT_CODE: 2}, allow_retries=False) from None


def place(error: BaseException) -> str:
    """Kind of an unexpected error and the last line of ours that it passed through; a full disk is called so."""
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        named = f" {error.filename}" if error.filename else ""
        return (
            f"a file{named} cannot be written: {error.strerror}: make room on its disk, then run this again"
        )
    frames = [frame for frame in extract_tb(error.__traceback__) if PACKAGE in Path(frame.filename).parents]
    where = (
        f"{Path(frames[-1].filename).relative_to(PACKAGE)}:{frames[-1].lineno}" if frames else "unknown place"
    )
    return f"unexpected {type(error).__name__} at {where}: this is a fault of ledger_assets, please report this line"
