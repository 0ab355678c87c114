"""All criteria in the roadmap's order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ledger_assets.errors import LedgerError, named
from ledger_assets.health.context import Context
from ledger_assets.scorecard import business, technical
from ledger_assets.scorecard.model import Criterion, Group, Scorecard

LIMIT = "60s"


def score(context: Context, *, access: technical.Access, bad: Callable[[], tuple[str, ...]]) -> Scorecard:
    """Answer every criterion. ``access`` plays the access matrix; ``bad``: what health calls bad.

    The connection is idle, and idle again afterwards. A question that cannot be asked is ``unknown`` with its reason.
    """
    asked = [
        ("Zero data loss during migration", technical.no_loss),
        ("All automated tests passing", technical.tests),
        ("Query performance within acceptable ranges", technical.performance),
        ("Backup system operational", technical.backups),
        ("RLS policies enforced correctly", lambda found: technical.access(found, access)),
        ("All users can access their data", business.users),
        ("Stories display correctly", business.display),
        ("Community features functional", business.community),
        ("Value tracking operational", business.value),
        ("No critical bugs reported", lambda found: business.bugs(found, bad)),
    ]  # type: list[tuple[str, Callable[[Context], Criterion]]]
    settings = context.settings
    criteria = tuple(_answers(context, asked))
    return Scorecard(settings.environment.value, settings.target_name, context.now, criteria)


def _answers(
    context: Context, asked: list[tuple[str, Callable[[Context], Criterion]]]
) -> Iterator[Criterion]:
    for number, (name, ask) in enumerate(asked):
        yield _answer(context, name, "technical" if number < 5 else "business", partial(ask, context))


def _answer(context: Context, name: str, group: Group, ask: Callable[[], Criterion]) -> Criterion:
    import psycopg

    connection, environment = context.connection, context.settings.environment
    try:
        return ask()
    except psycopg.Error as error:
        if connection.closed:
            raise
        reason = f"the database answers SQLSTATE {error.sqlstate or 'none'}"
    except LedgerError as error:
        reason = named(str(error), environment)
    finally:
        if not connection.closed:
            connection.rollback()
    return Criterion(
        name,
        group,
        "unknown",
        reason,
        f"ledger-assets doctor {environment}",
    )
