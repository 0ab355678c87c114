"""Identities. Every row's id follows from its Airtable identity alone, so that re-runs and links need no lookup.

The namespace is part of the contract with databases already loaded: it never changes.
"""

import uuid

NAMESPACE = uuid.UUID("6f1d1c5e-7a60-5a8e-9a3b-6c65646765f2")


def row_id(base_id: str, table_id: str, *parts: str) -> str:
    """UUIDv5 of (base id, table id or derived table's name, record id ...): the row's primary key.

    ``parts`` is one record id for a table's own rows, two for a link, the canonical name for a derived row.
    """
    return str(uuid.uuid5(NAMESPACE, "\x1f".join((base_id, table_id, *parts))))
