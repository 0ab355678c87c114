"""Airtable tables that no table module reads: kept as delivered, proven, and mapped to nothing.

What belongs here: a line for each such table of your base, with the reason, reviewed like any other declaration. What
does not: single fields of a table that a module reads; they are declared with the others, in its module.

Invariant: a line is for a whole table, whatever fields it gets; a table that stands neither here nor in a module fails
the export's check, and one that stands in both is judged field by field.

    TABLES = (
        whole_table("Shifts", "the staff's rosters: no part of anybody's story"),
        whole_table("Galleries", "made for the old site; its pictures are the stories' own"),
    )
"""

from __future__ import annotations

from ledger_assets.tables.fields import RawOnly

TABLES: tuple[RawOnly, ...] = ()
"""None: every table of the synthetic base has its module."""
