"""The fixed ids of the labelled world, and the people who act in it.

What belongs here: names and how they become ids. What does not: rows (``people``, ``stories``).

Invariants: an id follows from its name alone, so that it is the same in every database and nobody else's row has it.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any
from uuid import UUID

Row = dict[str, Any]
World = dict[str, dict[str, list[Row]]]
"""Table -> label -> rows; tables in an order in which they can be written."""

ACCOUNTS = (
    "owner",
    "co_author",
    "member",
    "elder",
    "org_member",
    "org_admin",
    "applicant",
    "editor",
    "outsider",
)
"""The matrix's columns that are signed-in people."""
STRANGER = "stranger"
"""Somebody with an account of their own who acts in nothing: whose rows nobody else may touch."""

ROLES = {
    "anon": "anon",
    **dict.fromkeys(ACCOUNTS, "authenticated"),
    "service": "service_role",
    "auth_admin": "supabase_auth_admin",
}
"""Column of the matrix -> the database role that it acts as."""


def uid(name: str) -> UUID:
    """The id of a row of the world, by ``<table>/<name>``."""
    return UUID(bytes=hashlib.sha256(f"ledger_assets access matrix: {name}".encode()).digest()[:16])


def filled(statement: str, me: str) -> str:
    """``statement`` with ids for ``{table/name}``, and for ``{me}`` the account of the column ``me``.

    The roles that are nobody's account act in the name of one: the service for the owner, the others for the outsider.
    """
    account = uid(f"auth.users/{me if me in ACCOUNTS else 'owner' if me == 'service' else 'outsider'}")
    return re.sub(
        r"\{([a-z_.]+/[a-z_]+)\}",
        lambda m: f"'{uid(m[1])}'::uuid",
        statement.replace("{me}", f"'{account}'::uuid"),
    )
