"""The roadmap's business criteria, asked of the database as the people that they speak of.

Invariant: everything that is asked as somebody is asked in a read-only transaction that is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ledger_assets.health.context import Context
from ledger_assets.health.model import named
from ledger_assets.load import findings as engine
from ledger_assets.loadtest.queries import NOBODY
from ledger_assets.loadtest.run import as_role
from ledger_assets.moment import utc
from ledger_assets.scorecard.model import Criterion

if TYPE_CHECKING:
    import psycopg

ACCOUNTS = 200
"""Accounts that are asked as themselves: enough to see a rule that is wrong, and done within seconds."""
CRITICAL = ("conflict", "missing_file")
"""Findings by which a person sees something else than they should; the others wait for a decision."""

FUNCTIONS = {
    "community_view": "select public.community_view(%s)",
    "stories of a community": "select public.stories_page(community => %s)",
    "storyteller_cards": "select public.storyteller_cards()",
    "maintenance_state": "select public.maintenance_state()",
}
TABLES = {
    "communities, the table": "select count(*) from public.communities",
    "members, the table": "select count(*) from public.community_members",
    "comments, the table": "select count(*) from public.story_comments",
    "reactions, the table": "select count(*) from public.story_reactions",
    "protocols, the table": "select count(*) from public.cultural_protocols",
}


def users(context: Context) -> Criterion:
    """Each account that has claimed a storyteller sees exactly the stories that storyteller told."""
    name, connection = "All users can access their data", context.connection
    environment = context.settings.environment
    rows = connection.execute(_text("sight"), {"most": ACCOUNTS}).fetchall()
    if not rows:
        said = "no account has claimed a storyteller yet: nobody can be asked"
        return Criterion(name, "business", "unknown", said, f"ledger-assets accounts {environment}")
    wrong, told = [], 0
    for account, stories in rows:
        seen = _ask(
            connection, "authenticated", account, "select (public.my_dashboard() ->> 'stories')::bigint"
        )
        told += stories
        if seen != stories:
            wrong.append(account)
    said = f"{len(rows) - len(wrong)} of {len(rows)} accounts, asked as themselves, see their own stories ({told:,} in all)"
    if wrong:
        command = f"ledger-assets schema verify {environment}"
        return Criterion(name, "business", "not met", f"{said}; not: {named(wrong)}", command)
    return Criterion(name, "business", "met", said)


def display(context: Context) -> Criterion:
    """The public sees as many stories as are open to it, and each of twenty opens."""
    name, connection = "Stories display correctly", context.connection
    row = connection.execute(_text("display")).fetchone()
    assert row is not None
    published, opened, ids = row
    if not opened:
        said = f"{published:,} published stories, none of them open to everybody: there is nothing to see"
        command = f"ledger-assets publish {context.settings.environment} --from LIST"
        return Criterion(name, "business", "unknown", said, command)
    total = _ask(connection, "anon", None, "select (public.stories_page(1, 1) ->> 'total')::bigint")
    closed = [
        one for one in ids if _ask(connection, "anon", None, "select public.story_detail(%s)", one) is None
    ]
    said = (
        f"the public is shown {total:,} of {opened:,} stories that are open to everybody ({published:,} published); "
        f"{len(ids) - len(closed)} of {len(ids)} opened one by one"
    )
    if total != opened or closed:
        more = f"; not: {named(closed)}" if closed else ""
        command = f"ledger-assets health {context.settings.environment}"
        return Criterion(name, "business", "not met", said + more, command)
    return Criterion(name, "business", "met", said)


def community(context: Context) -> Criterion:
    """What the app calls for communities answers, as the public and as a member."""
    name, connection = "Community features functional", context.connection
    row = connection.execute(
        "select count(*), (array_agg(c.id::text order by c.id))[1], (select m.profile_id::text "
        "from public.community_members m where m.approved_at is not null order by m.id limit 1) from public.communities c"
    ).fetchone()
    assert row is not None
    number, first, member = row
    calls = [
        (role, account, what, query, (first,) if "%s" in query else ())
        for role, account, asked in (
            ("anon", None, FUNCTIONS),
            ("authenticated", member or NOBODY, FUNCTIONS | TABLES),
        )
        for what, query in asked.items()
    ]
    wrong = [
        f"{what} as {role} ({problem})"
        for role, account, what, query, values in calls
        if (problem := _problem(connection, role, account, query, *values))
    ]
    said = f"{len(calls) - len(wrong)} of {len(calls)} calls answer; {number} communities"
    if wrong:
        command = f"ledger-assets schema verify {context.settings.environment}"
        return Criterion(name, "business", "not met", f"{said}; not: {named(wrong)}", command)
    if not number:
        said += ": nobody uses them yet"
    return Criterion(name, "business", "met", said)


def value(context: Context) -> Criterion:
    """The shares of every event of value add up to it, to the cent."""
    name = "Value tracking operational"
    row = context.connection.execute(_text("value")).fetchone()
    assert row is not None
    every, shared, ids, wrong = row
    problem = _problem(context.connection, "service_role", None, "select public.value_report(%s)", NOBODY)
    said = f"{every:,} events of value, {shared:,} shared out, {wrong} whose shares do not add up"
    command = f"ledger-assets schema verify {context.settings.environment}"
    if wrong or problem:
        more = f": {named(ids)}" if wrong else f"; value_report does not answer ({problem})"
        return Criterion(name, "business", "not met", said + more, command)
    if not every:
        return Criterion(
            name,
            "business",
            "unknown",
            "no event of value was recorded yet; value_report answers",
            "record one in the app",
        )
    return Criterion(name, "business", "met", said)


def bugs(context: Context, bad: Callable[[], tuple[str, ...]]) -> Criterion:
    """No run failed in the last day, no measure of health is bad, and no finding changes what a person sees."""
    name = "No critical bugs reported"
    critical = [one for one in engine.list_findings(context.connection) if one.kind in CRITICAL]
    unwell = bad()
    runs = context.runs
    failed = () if runs is None else runs.failed
    parts = [
        f"{len(critical)} open findings of kinds {' and '.join(CRITICAL)}",
        "Dagster was not asked"
        if runs is None
        else f"{len(failed)} of {runs.ended} runs failed since {utc(runs.since)}",
        f"health: {', '.join(unwell)} bad" if unwell else "health: nothing bad",
        "reports of people are not known here",
    ]
    environment = context.settings.environment
    command = f"ledger-assets findings {environment}; ledger-assets health {environment}"
    if critical or failed or unwell:
        return Criterion(name, "business", "not met", "; ".join(parts), command)
    return Criterion(name, "business", "unknown" if runs is None else "met", "; ".join(parts))


def _ask(connection: psycopg.Connection, role: str, account: str | None, query: str, *values: object) -> Any:
    with connection.transaction(force_rollback=True):
        as_role(connection, role, account)
        row = connection.execute(query.encode(), values or None).fetchone()
    return None if row is None else row[0]


def _problem(
    connection: psycopg.Connection, role: str, account: str | None, query: str, *values: object
) -> str | None:
    """The SQLSTATE, None where it answers."""
    import psycopg

    try:
        _ask(connection, role, account, query, *values)
    except psycopg.Error as error:
        return error.sqlstate or "lost"
    return None


def _text(name: str) -> bytes:
    return (files("ledger_assets.scorecard") / "sql" / f"{name}.sql").read_bytes()
