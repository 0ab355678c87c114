"""Two databases: a live one, migrated and filled in every table, and a scratch that is a copy of it (the snapshot).

What belongs here: the pair. What does not: what is damaged, and what must come back (the tests).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from psycopg import sql

from ledger_assets.demo.postgres import OWNER, Cluster
from tests.backup.merge.pair import Pair
from tests.schema.full import fill
from tests.schema.world import World

FILLED = "merge_filled"
FROM = {"airtable_base_id": "appOne", "airtable_table_id": "tblStories"}
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def filled_template(cluster: Cluster, migrated_template: str) -> str:
    """A database with a row in every table that people write."""
    return make_filled(cluster, migrated_template)


def make_filled(cluster: Cluster, template: str) -> str:
    """Make it unless it is there; its name."""
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        if admin.execute("select from pg_database where datname = %s", (FILLED,)).fetchone() is not None:
            return FILLED
        _copy(admin, FILLED, template)
    with psycopg.connect(cluster.url(FILLED), autocommit=True) as owner:
        world = World(owner, cluster.admin_url(FILLED))
        more(world, fill(world))
    return FILLED


def more(world: World, made: dict[str, object]) -> None:
    """What the loader and the app add besides: raw records, a load, a version, views."""
    world.do("update public.stories set copy = 'other words' where id = %s", made["story"])
    world.do("insert into public.story_views (story_id) values (%s), (%s)", made["story"], made["story"])
    world.do(
        "insert into airtable.records (base_id, table_id, record_id, created_time, raw, fields, sha256, content_sha256, "
        "first_export_id, export_id) select 'appOne', 'tblStories', 'rec' || lpad(n::text, 14, '0'), now(), r, '{}', "
        "sha256(convert_to(r, 'UTF8')), sha256(convert_to(r, 'UTF8')), 'x', 'x' "
        "from generate_series(1, 5) n, lateral (select '{\"n\": ' || n || '}' as r) x"
    )
    world.do(
        "insert into migration.loads (run_id, environment, export_id, started_at) values ('r', 'e', 'x', now())"
    )
    world.do(
        "insert into migration.findings (id, base_id, kind, reason, first_load, last_load) "
        "select 'f', 'appOne', 'conflict', 'invented', load_id, load_id from migration.loads"
    )

    people = [world.storyteller(f"Person {n}", airtable_record_id=f"recPerson{n}", **FROM) for n in range(3)]
    together = world.story(*people[:2], title="Told together", airtable_record_id="recTogether", **FROM)
    for number, person in enumerate(people):
        alone = world.story(
            person, title=f"Told by {number}", copy="words", airtable_record_id=f"recAlone{number}", **FROM
        )
        interview = world.interview(alone, person, transcript=f"spoken {number}")
        theme = world.row("themes", name=f"Theme {number}")
        world.row("interview_themes", interview_id=interview, theme_id=theme, position=1)
        quote = world.row("quotes", quote=f"said {number}", storyteller_id=person, story_id=alone)
        world.row("quote_interviews", quote_id=quote, interview_id=interview, position=1)
        world.row("storyteller_contacts", storyteller_id=person, email=f"{number}@example.org")
        world.row(
            "media_assets", role="story_image", story_id=alone, position=1, attachment_id=f"att{number}"
        )
        world.row("story_comments", story_id=alone, profile_id=made["other"], body=f"comment {number}")
    world.row("story_comments", story_id=together, profile_id=made["other"], body="on both")


@pytest.fixture
def pair(cluster: Cluster, filled_template: str) -> Iterator[Pair]:
    """A live database and its snapshot, equal."""
    with a_pair(cluster, filled_template) as made:
        yield made


@contextmanager
def a_pair(cluster: Cluster, template: str) -> Iterator[Pair]:
    """Two copies of the template, dropped at the end."""
    with ExitStack() as stack:
        admin = stack.enter_context(psycopg.connect(cluster.admin_url("postgres"), autocommit=True))
        names = [f"merge_{kind}_{next(_numbers)}" for kind in ("live", "scratch")]
        for name in names:
            _copy(admin, name, template)
            stack.callback(_drop(admin, name))
        urls = [cluster.url(name) for name in names]
        live, scratch = (stack.enter_context(psycopg.connect(url)) for url in urls)
        owner = stack.enter_context(psycopg.connect(urls[0], autocommit=True))
        yield Pair(live, scratch, World(owner, cluster.admin_url(names[0])), *urls)


def _copy(admin: psycopg.Connection, name: str, template: str) -> None:
    admin.execute(
        sql.SQL("create database {} template {} owner {}").format(
            *map(sql.Identifier, (name, template, OWNER))
        )
    )


def _drop(admin: psycopg.Connection, name: str) -> Callable[[], object]:
    return lambda: admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
