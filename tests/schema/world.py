"""A small world of people, stories and consents, written row by row, and sessions in it as each role.

What belongs here: making rows and opening sessions. What does not: what must hold (the tests).

Invariants: every row is written by ``postgres``, which is no superuser; a session of an API role is logged in as
``authenticator``, as PostgREST is, so that nothing passes for the loader by the login alone.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

SHARING = ("public_sharing", "community_sharing", "organisation_sharing", "ai_analysis")
SERVICE, AUTH_ADMIN, OWNER = "service_role", "supabase_auth_admin", "postgres"


class World:
    """Hands on one database."""

    def __init__(self, owner: psycopg.Connection, admin_url: str) -> None:
        self.owner = owner
        self.admin_url = admin_url

    def all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.owner.execute(query.encode(), values or None).fetchall()

    def one(self, query: str, *values: object) -> Any:
        """The only value of the only row."""
        ((value,),) = self.all(query, *values)
        return value

    def do(self, statement: str, *values: object) -> int:
        return self.owner.execute(statement.encode(), values or None).rowcount

    def row(self, table: str, **values: Any) -> UUID:
        """One row of ``public.<table>``; its id."""
        values.setdefault("id", uuid.uuid4())
        written = {n: Jsonb(v) if isinstance(v, dict) else v for n, v in values.items()}
        self.owner.execute(
            sql.SQL("insert into public.{} ({}) values ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, written)),
                sql.SQL(", ").join([sql.Placeholder()] * len(written)),
            ),
            list(written.values()),
        )
        return UUID(str(values["id"]))

    def account(self, name: str = "Somebody") -> UUID:
        """Somebody who signs in."""
        identity = uuid.uuid4()
        self.do("insert into auth.users (id, email) values (%s, %s)", identity, f"{identity}@example.org")
        return self.row("profiles", id=identity, display_name=name)

    def storyteller(
        self,
        name: str = "Nora Invented",
        account: UUID | None = None,
        consents: Sequence[str] = SHARING,
        **columns: Any,
    ) -> UUID:
        """A person; open to everybody unless said otherwise."""
        columns = {"privacy": "public", "sensitive": False, **columns}
        person = self.row("storytellers", name=name, profile_id=account, **columns)
        for purpose in consents:
            self.consent(person, purpose)
        return person

    def consent(self, person: UUID, purpose: str, state: str = "given", **columns: Any) -> UUID:
        columns = {"evidence_kind": "form", **columns}
        return self.row("consents", storyteller_id=person, purpose=purpose, state=state, **columns)

    def story(self, *authors: UUID, title: str = "A story", published: bool = True, **columns: Any) -> UUID:
        """A story told by ``authors``; published and public unless said otherwise."""
        if published:
            columns = {
                "status": "published",
                "published_at": "2026-01-01T00:00Z",
                "privacy": "public",
                **columns,
            }
        story = self.row("stories", title=title, **columns)
        for position, author in enumerate(authors, 1):
            self.row("authorship", story_id=story, storyteller_id=author, position=position)
        return story

    def interview(self, story: UUID | None, *speakers: UUID, **columns: Any) -> UUID:
        interview = self.row("interviews", **columns)
        if story is not None:
            self.row("story_interviews", story_id=story, interview_id=interview, position=1)
        for position, speaker in enumerate(speakers, 1):
            self.row(
                "interview_storytellers", interview_id=interview, storyteller_id=speaker, position=position
            )
        return interview

    def community(self, slug: str = "riverside") -> UUID:
        return self.row("communities", name=slug.title(), slug=slug)

    def organisation(self, name: str = "The Archive") -> UUID:
        return self.row("organisations", name=name, kind="community")

    def member(self, community: UUID, account: UUID, role: str = "member", approved: bool = True) -> UUID:
        columns = {"approved_at": "2026-01-01"} if approved else {}
        return self.row("community_members", community_id=community, profile_id=account, role=role, **columns)

    @contextmanager
    def session(self, role: str, account: UUID | None = None) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """A transaction as that role; committed when the block ends well."""
        login = role if role in (AUTH_ADMIN, OWNER) else "authenticator"
        # Closed also when the commit fails, which psycopg's own block does not.
        with closing(psycopg.connect(self.admin_url, row_factory=dict_row)) as conn:
            conn.execute(sql.SQL("set session authorization {}").format(sql.Identifier(login)))
            if login == "authenticator":
                claims = {"role": role, **({"sub": str(account)} if account else {})}
                conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
                conn.execute("select set_config('request.jwt.claims', %s, false)", (json.dumps(claims),))
            yield conn
            conn.commit()

    def ask(self, role: str, account: UUID | None, query: str, *values: object) -> Any:
        """The only value of a query asked as that role, committed."""
        with self.session(role, account) as conn:
            (row,) = conn.execute(query.encode(), values or None).fetchall()
            (value,) = row.values()
            return value

    def freeze(self, until: str | None = None) -> None:
        with self.owner.transaction():
            self.owner.execute(
                "update migration.maintenance set frozen = true, reason = 'moving to the new archive', "
                "since = now(), until = %s",
                (until,),
            )


def in_background(world: World, conn: psycopg.Connection[Any], work: Any) -> threading.Thread:
    """Start ``work`` in a thread and return once its session waits for somebody's lock."""
    thread = threading.Thread(target=work)
    server = conn.info.backend_pid
    thread.start()
    while thread.is_alive() and not world.one("select cardinality(pg_blocking_pids(%s)) > 0", server):
        pass
    return thread


def run_as_loader(world: World, statement: str, *values: object) -> None:
    with world.owner.transaction():
        world.owner.execute("set local migration.writer = 'on'")
        world.owner.execute(statement.encode(), values or None)


EVERYTHING = (
    "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
    "where n.nspname in ('public', 'airtable', 'migration', 'audit', 'private', 'auth') and c.relkind in ('r', 'p') "
    "order by 1, 2"
)


def places_of(world: World, word: str) -> list[str]:
    """Which tables of ours hold the word, in any column of any row."""
    found = []
    for schema, table in world.all(EVERYTHING):
        query = sql.SQL("select count(*) from {} t where to_jsonb(t)::text ilike %s").format(
            sql.Identifier(schema, table)
        )
        ((number,),) = world.owner.execute(query, (f"%{word}%",)).fetchall()
        found += [f"{schema}.{table}"] * bool(number)
    return found
