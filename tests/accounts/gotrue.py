"""A double of Supabase's Auth, over HTTP, with the accounts in Postgres where the real one has them.

It answers as GoTrue does (its admin API, `/settings`, `/invite`); `tests/system/test_auth_client.py` lets the official
client judge it. Faults: it may answer late by dying (``after``), ignore a wished id as old releases do, or run out of mails.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg.rows import dict_row

KEY = "sb_secret_of_the_tests"
COLUMNS = (
    "id, aud, role, email, email_confirmed_at, invited_at, last_sign_in_at, banned_until, "
    "raw_app_meta_data as app_metadata, coalesce(raw_user_meta_data, '{}') as user_metadata, created_at, updated_at, "
    "is_anonymous"
)
TAKEN = (422, {"code": 422, "error_code": "email_exists", "msg": "has already been registered"})
MISSING = (404, {"code": 404, "error_code": "user_not_found", "msg": "User not found"})
Answer = tuple[int, dict[str, Any]]


@dataclass
class GoTrue:
    """``calls``: method and path of each request so far. ``invited``: to whom a mail went."""

    database: str
    url: str = ""
    autoconfirm: bool = False
    wished_ids: bool = True
    mails: int = 1000
    calls: list[tuple[str, str]] = field(default_factory=list)
    invited: list[str] = field(default_factory=list)
    before: Callable[[int], None] = lambda _: None
    after: Callable[[int], None] = lambda _: None
    busy: threading.Lock = field(default_factory=threading.Lock)
    """Held while a request is answered."""

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Answer:
        """As GoTrue does."""
        if (method, path) == ("GET", "/settings"):
            return 200, {
                "external": {"email": True},
                "disable_signup": False,
                "mailer_autoconfirm": self.autoconfirm,
            }
        with psycopg.connect(self.database, row_factory=dict_row) as db:
            if (method, path) == ("GET", "/admin/users"):
                size = int(query.get("per_page", ["50"])[0])
                offset = (int(query.get("page", ["1"])[0]) - 1) * size
                found = db.execute(
                    f"select {COLUMNS} from auth.users order by created_at desc, id limit %s offset %s".encode(),
                    (size, offset),
                ).fetchall()
                return 200, {"users": [self._json(row) for row in found], "aud": "authenticated"}
            if (method, path) == ("POST", "/admin/users"):
                return self._create(db, body)
            if (method, path) == ("POST", "/invite"):
                return self._invite(db, str(body["email"]).lower())
            return self._one(db, method, uuid.UUID(path.removeprefix("/admin/users/")), body)

    def _create(self, db: psycopg.Connection[dict[str, Any]], body: dict[str, Any]) -> Answer:
        email = str(body["email"]).lower()
        if db.execute("select from auth.users where lower(email) = %s", (email,)).fetchone() is not None:
            return TAKEN
        wished = body.get("id") if self.wished_ids else None
        metadata = {"provider": "email", "providers": ["email"], **(body.get("app_metadata") or {})}
        user_id = uuid.UUID(wished) if wished else uuid.uuid4()
        db.execute(
            "insert into auth.users (id, aud, role, email, raw_app_meta_data, email_confirmed_at) "
            "values (%s, 'authenticated', 'authenticated', %s, %s, case when %s then now() end)",
            (user_id, email, json.dumps(metadata), bool(body.get("email_confirm"))),
        )
        return self._user(db, user_id)

    def _invite(self, db: psycopg.Connection[dict[str, Any]], email: str) -> Answer:
        row = db.execute(
            "select id, email_confirmed_at from auth.users where lower(email) = %s", (email,)
        ).fetchone()
        assert row is not None, "the migration invites nobody without an account"
        if row["email_confirmed_at"] is not None:
            return TAKEN
        if len(self.invited) >= self.mails:
            return 429, {
                "code": 429,
                "error_code": "over_email_send_rate_limit",
                "msg": "email rate limit exceeded",
            }
        self.invited.append(email)
        db.execute("update auth.users set invited_at = now() where id = %s", (row["id"],))
        return self._user(db, row["id"])

    def _one(
        self, db: psycopg.Connection[dict[str, Any]], method: str, user_id: uuid.UUID, body: dict[str, Any]
    ) -> Answer:
        found = self._user(db, user_id)
        if found == MISSING or method == "GET":
            return found
        if method == "DELETE":
            db.execute("delete from auth.users where id = %s", (user_id,))
            return 200, {}
        if ban := body.get("ban_duration"):
            hours = 0 if ban == "none" else int(str(ban).removesuffix("h"))
            db.execute(
                "update auth.users set banned_until = case when %s > 0 then now() + make_interval(hours => %s) end "
                "where id = %s",
                (hours, hours, user_id),
            )
        return self._user(db, user_id)

    def _user(self, db: psycopg.Connection[dict[str, Any]], user_id: uuid.UUID) -> Answer:
        row = db.execute(f"select {COLUMNS} from auth.users where id = %s".encode(), (user_id,)).fetchone()
        return MISSING if row is None else (200, self._json(row))

    @staticmethod
    def _json(row: dict[str, Any]) -> dict[str, Any]:
        # Go leaves out what is not set.
        shown = {
            name: value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
            for name, value in row.items()
            if value is not None
        }
        return {**shown, "id": str(row["id"]), "app_metadata": row["app_metadata"] or {}, "identities": []}


class Listener(ThreadingHTTPServer):
    """A client that is killed in the middle of an answer is part of the game."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        return


@contextmanager
def gotrue(database: str) -> Iterator[GoTrue]:
    """A running double over the accounts of ``database`` (its superuser's address)."""
    state = GoTrue(database)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/auth/v1")
            if self.headers.get("Authorization") != f"Bearer {KEY}" or self.headers.get("apikey") != KEY:
                self._send(401, {"code": 401, "error_code": "bad_jwt", "msg": "invalid JWT"})
                return
            with state.busy:
                state.calls.append((self.command, path))
                number = len(state.calls)
                state.before(number)
                answer = state.answer(self.command, path, parse_qs(parts.query), json.loads(body or b"{}"))
                state.after(number)
            self._send(*answer)

        def _send(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response_only(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            return

    for method in ("GET", "POST", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._any)
    listener = Listener(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{listener.server_port}"
    try:
        yield state
    finally:
        listener.shutdown()
        listener.server_close()
