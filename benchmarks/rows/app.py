"""The app's queries with 100,000 stories: each as a signed-in person with every policy on, against the same query
without any rule of sight, in the same run.

Without the rule: for a function of the app, its own text over a view of all published stories; for a table, the
owner's read, who bypasses row-level security. The refresh of every story's kept columns is a row of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql

from benchmarks.run import Run, middle
from benchmarks.table import Row
from benchmarks.world import World
from ledger_assets.load import schema
from ledger_assets.load.connect import connect

MOST_RATIO = 3.0
# Below this many milliseconds a ratio is of calls and not of plans.
FLOOR_MS = 1.0
WORLD = Path(__file__).parent.parent / "app_world.sql"
FUNCTIONS = (
    "stories_page",
    "story_detail",
    "storyteller_cards",
    "community_view",
    "my_dashboard",
    "value_report",
)
STORY, COMMUNITY, ORGANISATION, THEME = (
    f"md5('{name}1')::uuid" for name in ("story", "community", "org", "theme")
)
NAMED = (
    "page => {page}, size => 20, search => {search}, "
    "community => {community}, organisation => {organisation}, theme => {theme}"
)


def _page(page: str = "1", **named: str) -> str:
    values = {"page": page} | {
        n: named.get(n, "null") for n in ("search", "community", "organisation", "theme")
    }
    return "{schema}.stories_page(" + NAMED.format(**values) + ")"


QUERIES: dict[str, str] = {
    "stories page with exact total": _page(),
    "... page 100": _page("100"),
    "... a rare word's": _page(search="'rareword'"),
    "... a word's that stands in every story": _page(search="'river'"),
    "... of a community": _page(community=COMMUNITY),
    "... of an organisation": _page(organisation=ORGANISATION),
    "... of a theme": _page(theme=THEME),
    "story detail": f"{{schema}}.story_detail({STORY})",
    "storyteller cards": "{schema}.storyteller_cards(project => null, organisation => null, size => 3, after => null)",
    "community view": f"{{schema}}.community_view({COMMUNITY})",
    "own dashboard": "{schema}.my_dashboard()",
    "value report": f"{{schema}}.value_report({ORGANISATION}, null)",
}
TABLES: dict[str, str] = {
    "count of stories, the table itself": "(select count(*) from public.stories where published_at is not null)",
    "newest 20 stories, the table itself": (
        "(select count(*) from (select id, title, copy from public.stories where published_at is not null "
        "order by published_at desc, id limit 20) f)"
    ),
}


def measure(run: Run) -> list[Row]:
    """The refresh and every query."""
    sizes = {
        "stories": run.sizes.app_stories,
        "storytellers": run.sizes.app_stories // 10,
        "views": run.sizes.app_stories * 10,
    }
    with run.world.database() as database:
        refreshed, seconds = _fill(database, sizes)
        with _explained(run.world, database) as (connection, plans):
            rows = [_compare(connection, plans, name, query) for name, query in (QUERIES | TABLES).items()]
    what = f"visibility refresh of {sizes['stories']:,} stories ({refreshed:,} written)"
    return [Row(what, f"{seconds:.1f} s"), *rows]


def _fill(database: str, sizes: dict[str, int]) -> tuple[int, float]:
    with connect(database, application_name="bench") as connection:
        schema.apply(connection)
        filled = sql.SQL(cast(LiteralString, WORLD.read_text("utf-8"))).format(
            **{name: sql.Literal(size) for name, size in sizes.items()}
        )
        connection.execute(filled)
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum (analyze)")
        started = time.monotonic()
        with connection.transaction():  # as a load does it
            connection.execute("set local migration.writer = 'on'")
            row = connection.execute("select private.refresh_all()").fetchone()
        seconds = time.monotonic() - started
        connection.execute("vacuum (analyze)")
        _without_rule(connection)
        assert row is not None
        return int(row[0]), seconds


def _without_rule(connection: psycopg.Connection) -> None:
    """Schema ``bench``: the app's functions, word for word, over all published stories."""
    connection.execute("create schema bench")
    connection.execute(
        "create view bench.seen_stories as select s.* from public.stories s where s.published_at is not null"
    )
    for (text,) in connection.execute(
        "select pg_get_functiondef(oid) from pg_proc "
        "where pronamespace = 'private'::regnamespace and proname = any(%s)",
        (list(FUNCTIONS),),
    ).fetchall():
        changed = text.replace("FUNCTION private.", "FUNCTION bench.").replace(
            "private.seen_stories", "bench.seen_stories"
        )
        connection.execute(changed.encode())
    connection.execute("grant usage on schema bench to authenticated")
    connection.execute("grant execute on all functions in schema bench to authenticated")


@contextmanager
def _explained(world: World, database: str) -> Iterator[tuple[psycopg.Connection, list[dict[str, Any]]]]:
    """A superuser's connection that collects the plan of every statement, those inside functions too."""
    plans: list[dict[str, Any]] = []
    name = str(psycopg.conninfo.conninfo_to_dict(database)["dbname"])

    def collect(notice: psycopg.errors.Diagnostic) -> None:
        text = notice.message_primary or ""
        if "plan:" in text:
            plans.append(json.loads(text.partition("plan:")[2]))

    with psycopg.connect(world.cluster.admin_url(name), autocommit=True) as connection:
        connection.execute("load 'auto_explain'")
        for setting in (
            "log_nested_statements = on",
            "log_analyze = on",
            "log_format = json",
            "log_timing = on",
        ):
            connection.execute(sql.SQL(cast(LiteralString, f"set auto_explain.{setting}")))
        connection.execute("set client_min_messages = log")
        connection.add_notice_handler(collect)
        yield connection, plans


def _compare(connection: psycopg.Connection, plans: list[dict[str, Any]], name: str, query: str) -> Row:
    ruled = _timed(connection, query.format(schema="public"), "authenticated")
    # The owner's own functions are called as the person, too: the account is theirs; the tables are read as the owner.
    free = _timed(connection, query.format(schema="bench"), "postgres" if name in TABLES else "authenticated")
    slowest, scans = _plan(connection, plans, query.format(schema="public"))
    ratio = ruled / free
    if name in TABLES:  # not a query of the app's: what a client pays that goes to the table itself
        return Row(f"&nbsp; {name}", f"{ratio:.2f} ({ruled:.1f} ms / {free:.1f} ms)")
    return Row(
        f"app: {name}",
        f"{ratio:.2f} ({ruled:.1f} ms / {free:.1f} ms); slowest node {slowest}; sequential scans of stories {scans}",
        f"at most {MOST_RATIO:g}, no sequential scan",
        (ratio <= MOST_RATIO or ruled < FLOOR_MS) and scans == 0,
    )


@contextmanager
def _as(connection: psycopg.Connection, role: str) -> Iterator[None]:
    with connection.transaction():
        connection.execute(
            "select set_config('request.jwt.claims', "
            "json_build_object('sub', md5('user1')::uuid, 'role', %s::text)::text, true)",
            (role,),
        )
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        yield


def _timed(connection: psycopg.Connection, query: str, role: str, rounds: int = 15) -> float:
    """Median milliseconds, the first three rounds left out."""
    seconds = []
    for _ in range(rounds + 3):
        with _as(connection, role):
            started = time.perf_counter()
            connection.execute(f"select {query}".encode()).fetchall()
            seconds.append(time.perf_counter() - started)
    return middle(seconds[3:]) * 1000


def _plan(connection: psycopg.Connection, plans: list[dict[str, Any]], query: str) -> tuple[str, int]:
    """The node that took longest by itself, and how often stories were read from end to end."""
    plans.clear()
    connection.execute("set auto_explain.log_min_duration = 0")
    with _as(connection, "authenticated"):
        connection.execute(f"select {query}".encode()).fetchall()
        connection.execute("set local role none")
    connection.execute("set auto_explain.log_min_duration = -1")
    nodes = [node for plan in plans for node in _nodes(plan["Plan"])]
    scans = sum(n["Node Type"] == "Seq Scan" and n.get("Relation Name") == "stories" for n in nodes)
    # A function's caller is a Result node that takes as long as all that the function does.
    named = max((n for n in nodes if n["Node Type"] != "Result"), key=_own, default={"Node Type": "none"})
    relation = f" on {named['Relation Name']}" if "Relation Name" in named else ""
    return f"{named['Node Type']}{relation} {_own(named):.1f} ms", scans


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _own(node: dict[str, Any]) -> float:
    """Milliseconds of the node without its children."""
    total = node.get("Actual Total Time", 0.0) * node.get("Actual Loops", 1)
    return float(
        total - sum(c.get("Actual Total Time", 0.0) * c.get("Actual Loops", 1) for c in node.get("Plans", ()))
    )
