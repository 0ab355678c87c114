"""Accounts on plain Postgres: the shim's ``auth.users``, for the demo, tests and rehearsals.

What belongs here: the same questions as to Supabase's Auth. Nobody is sent anything.

Invariant: a platform's own ``auth.users`` is never written to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from ledger_assets.accounts.directory import MARK, AddressTaken, User
from ledger_assets.errors import SettingsError
from ledger_assets.load.sqlfiles import plain_errors

_OURS = (
    "select coalesce(obj_description(oid, 'pg_namespace') = 'made by ledger_assets', false) "
    "from pg_namespace where nspname = 'auth'"
)
_USERS = (
    "select id, lower(coalesce(email, '')), raw_app_meta_data ->> %(mark)s, email_confirmed_at is not null, "
    "last_sign_in_at is not null, invited_at is not null, coalesce(banned_until > now(), false) "
    "from auth.users where %(id)s::uuid is null or id = %(id)s order by created_at, id"
)
_CREATE = (
    "insert into auth.users (id, aud, role, email, raw_app_meta_data) "
    "select %(id)s, 'authenticated', 'authenticated', %(email)s, %(metadata)s "
    "where not exists (select from auth.users where lower(email) = %(email)s)"
)


class PlainDirectory:
    """The accounts of the connection's database."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def check(self) -> None:
        """Raises SettingsError on a platform, whose Auth makes accounts itself."""
        if self._do(_OURS).fetchone() != (True,):
            raise SettingsError(
                "SUPABASE_URL is not set, but schema auth of this database is a platform's: set SUPABASE_URL and "
                "SUPABASE_SERVICE_KEY (staging: STAGING_SUPABASE_URL, STAGING_SUPABASE_SERVICE_KEY)"
            )

    def users(self) -> Iterator[User]:
        """Every account."""
        yield from (User(*row) for row in self._do(_USERS, mark=MARK, id=None).fetchall())

    def find(self, user_id: UUID) -> User | None:
        """The account with that id."""
        row = self._do(_USERS, mark=MARK, id=user_id).fetchone()
        return None if row is None else User(*row)

    def create(self, user_id: UUID, email: str, storyteller: str) -> User:
        """A new row."""
        metadata = json.dumps({"provider": "email", "providers": ["email"], MARK: storyteller})
        if self._do(_CREATE, id=user_id, email=email, metadata=metadata).rowcount != 1:
            raise AddressTaken("auth.users has an account with this address already")
        return User(user_id, email, storyteller, False, False, False, False)

    def ban(self, user_id: UUID) -> None:
        """Ban it without an end."""
        self._do("update auth.users set banned_until = 'infinity' where id = %(id)s", id=user_id)

    def unban(self, user_id: UUID) -> None:
        """Take the ban away."""
        self._do("update auth.users set banned_until = null where id = %(id)s", id=user_id)

    def delete(self, user_id: UUID) -> None:
        """Remove it with its address."""
        self._do("delete from auth.users where id = %(id)s", id=user_id)

    def invite(self, email: str) -> None:  # noqa: ARG002 - the protocol's
        """Raises SettingsError: nothing here sends mail."""
        raise SettingsError(
            "nobody can be invited without a project whose Auth sends mail: set SUPABASE_URL and SUPABASE_SERVICE_KEY"
        )

    def _do(self, query: LiteralString, **values: object) -> psycopg.Cursor[Any]:
        with plain_errors("accounts", undone="nothing was changed"), self._connection.transaction():
            return self._connection.execute(query, values)
