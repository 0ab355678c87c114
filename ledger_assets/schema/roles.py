"""What the API's roles must be: declared here, because roles are of the whole server and no migration makes them.

What belongs here: the attributes, memberships and settings that would undo the policies. What does not: grants on our
objects (``catalogue``).

Invariants: what the platform itself sets (time-outs, logging) is no difference; a setting's value is told only where
it cannot be a secret.
"""

from __future__ import annotations

import psycopg

from ledger_assets.schema.catalogue import CLOSED, Item, fetch, items

_UNDER = "under row-level security"
EXPECTED = (
    Item("membership", "authenticator in anon", "role authenticator", "member"),
    Item("membership", "authenticator in authenticated", "role authenticator", "member"),
    Item("membership", "authenticator in service_role", "role authenticator", "member"),
    Item("role", "anon", None, f"no login, {_UNDER}"),
    Item("role", "authenticated", None, f"no login, {_UNDER}"),
    Item("role", "authenticator", None, f"login, {_UNDER}"),
    Item("role", "service_role", None, "no login, bypasses row-level security"),
)
"""The same on every Supabase project; the shim makes them so on a plain Postgres."""

_HARMLESS = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
    "session_preload_libraries",
    "timezone",
    "work_mem",
    "maintenance_work_mem",
)
_HARMLESS_PREFIX = (
    r"^(log_|auto_explain\.|pgaudit\.|pg_stat_statements\.|app\.settings\.|pgrst\.(?!db_schemas))"
)


def read(connection: psycopg.Connection) -> tuple[Item, ...]:
    """The roles as they are, with what the platform sets left out."""
    parameters: dict[str, object] = {
        "roles": [item.name for item in EXPECTED if item.kind == "role"],
        "harmless": list(_HARMLESS),
        "harmless_prefix": _HARMLESS_PREFIX,
        "closed": list(CLOSED),
    }
    return tuple(items(fetch(connection, "roles", parameters)))
