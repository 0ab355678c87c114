"""A small migrated world, row by row, and the commands as a person runs them on it.

Every text that a person could have said or be called holds SENTINEL: no command may print or log it.
"""

from __future__ import annotations

import itertools
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.lane.commands import run, settings_of

SENTINEL = "Xanthorrhoea"
BASE = "appABCDEFGHIJKLMN"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What it printed with --json."""
        return json.loads(self.out)


@dataclass
class Command:
    """``ledger-assets`` on a database that stands for staging's (or production's); looks for the sentinel each time."""

    home: Path
    url: str
    settings: dict[str, str] = field(default_factory=dict)
    """Further variables."""

    def __call__(self, *arguments: str | Path, production: bool = False) -> Done:
        environ = settings_of(
            self.home,
            AIRTABLE_API_KEY="pat0" + "0" * 40,
            AIRTABLE_BASE_ID=BASE,
            **{"DATABASE_URL" if production else "STAGING_DATABASE_URL": self.url},
            **self.settings,
        )
        finished = run(environ, *map(str, arguments))
        logged = "".join(path.read_text() for path in (self.home / "logs").glob("*.log"))
        for text in (finished.stdout, finished.stderr, logged):
            assert SENTINEL.lower() not in text.lower()
        assert "Traceback" not in finished.stderr + logged
        return Done(finished.returncode, finished.stdout, finished.stderr)


@dataclass
class World:
    """Rows as a migration leaves them, inserted by hand."""

    conn: psycopg.Connection
    ids: dict[str, uuid.UUID] = field(default_factory=dict)

    def person(self, *, privacy: str = "public", sensitive: bool = False, deceased: bool = False) -> str:
        """A storyteller; their record id."""
        return self._migrated(
            "storytellers",
            "Person",
            name=f"{SENTINEL} {next(_numbers)}",
            bio=SENTINEL,
            privacy=privacy,
            sensitive=sensitive,
            deceased=deceased,
        )

    def story(self, *people: str, **more: object) -> str:
        """A private draft told by ``people``; its record id."""
        name = self._migrated("stories", "Story", title=SENTINEL, copy=f"{SENTINEL} said", **more)
        for position, person in enumerate(people, 1):
            self._insert(
                "authorship",
                id=uuid.uuid4(),
                story_id=self.ids[name],
                storyteller_id=self.ids[person],
                position=position,
            )
        return name

    def interview(self, story: str, *people: str) -> str:
        """An interview that ``story`` is made from, in which ``people`` speak."""
        name = self._migrated("interviews", "Interv", transcript=SENTINEL)
        self._insert(
            "story_interviews",
            id=uuid.uuid4(),
            story_id=self.ids[story],
            interview_id=self.ids[name],
            position=1,
        )
        for person in people:
            self._insert(
                "interview_storytellers",
                id=uuid.uuid4(),
                interview_id=self.ids[name],
                storyteller_id=self.ids[person],
                position=1,
            )
        return name

    def consent(
        self,
        person: str,
        *purposes: str,
        state: str = "given",
        story: str | None = None,
        expires_at: str | None = None,
        kind: str = "airtable",
    ) -> None:
        """Consents of a person, as migrated (or of another kind)."""
        for purpose in purposes:
            migrated = {"airtable_record_id": person} if kind == "airtable" else {}
            self._insert(
                "consents",
                storyteller_id=self.ids[person],
                story_id=story and self.ids[story],
                purpose=purpose,
                state=state,
                expires_at=expires_at,
                evidence_kind=kind,
                evidence=SENTINEL,
                **migrated,
            )

    def community(self) -> uuid.UUID:
        """A community."""
        number = next(_numbers)
        return self._insert("communities", name=f"{SENTINEL} {number}", slug=f"c{number}")

    def organisation(self) -> uuid.UUID:
        """An organisation."""
        return self._insert(
            "organisations", id=uuid.uuid4(), name=f"{SENTINEL} {next(_numbers)}", kind="other"
        )

    def account(self) -> uuid.UUID:
        """An account with a profile."""
        account = uuid.uuid4()
        with self.conn.transaction():
            self.conn.execute("insert into auth.users (id) values (%s)", (account,))
            self._insert("profiles", id=account, display_name=SENTINEL)
        return account

    def insert(self, table: str, **values: object) -> uuid.UUID:
        """Any row of schema public, committed; its id."""
        return self._insert(table, **values)

    def run(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query, committed."""
        with self.conn.transaction():
            cur = self.conn.execute(query.encode(), parameters)
            return cur.fetchall() if cur.description else []

    def sees(self, account: uuid.UUID | None, table: str) -> int:
        """How many rows of a table somebody sees through the API; None: nobody signed in."""
        role = "anon" if account is None else "authenticated"
        with self.conn.transaction(force_rollback=True):
            self.conn.execute("set local row_security = on")
            self.conn.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            claims = {"role": role} | ({"sub": str(account)} if account else {})
            self.conn.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
            # Columns are granted one by one: count(*) alone needs one of them.
            row = self.conn.execute(
                sql.SQL("select count(id) from public.{}").format(sql.Identifier(table))
            ).fetchone()
            assert row is not None
            return int(row[0])

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of every table that an act could touch, to compare before and after."""
        tables = (
            "public.stories", "public.storytellers", "public.consents", "public.consent_events", "public.story_versions",
            "audit.log", "audit.images",
        )  # fmt: skip
        return {table: self.run(f"select to_jsonb(t)::text from {table} t order by 1") for table in tables}

    def _migrated(self, table: str, kind: str, **values: object) -> str:
        name = f"rec{kind}{next(_numbers):08d}"
        self.ids[name] = self._insert(
            table, id=uuid.uuid4(), airtable_record_id=name, airtable_base_id=BASE, **values
        )
        return name

    def _insert(self, table: str, **values: object) -> uuid.UUID:
        given = {k: Jsonb(v) if isinstance(v, dict) else v for k, v in values.items() if v is not None}
        query = sql.SQL("insert into public.{} ({}) values ({}) returning id").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, given)),
            sql.SQL(", ").join(sql.Placeholder() * len(given)),
        )
        with self.conn.transaction():
            row = self.conn.execute(query, list(given.values())).fetchone()
        assert row is not None
        return uuid.UUID(str(row[0]))
