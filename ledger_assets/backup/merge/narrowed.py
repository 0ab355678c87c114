"""What people have closed since the snapshot does not come back open: their circles, a story's state, what they show.

What belongs here: which columns open something, and keeping each as narrow as it was last made. What does not: consents
(``withdrawn``).

Invariants: nothing is widened by a restore, in no mode, also where the row itself was lost (the audit's last image of it
decides); what was widened since comes back as it was.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, LiteralString, cast

from psycopg import sql

from ledger_assets.backup.merge.stage import Stage, filled

_SHOWN = ("show_name", "show_photo", "show_bio", "show_organisation", "show_location")
_LEVEL = "array_position(array['standard', 'sensitive', 'sacred'], {})"
_COLUMNS: dict[str, dict[str, str]] = {
    "public.storytellers": {
        "sensitive": "f.sensitive or coalesce((k.now ->> 'sensitive')::boolean, false)",
        "deceased": "f.deceased or coalesce((k.now ->> 'deceased')::boolean, false)",
        **{name: f"f.{name} and coalesce((k.now ->> '{name}')::boolean, true)" for name in _SHOWN},
    },
    "public.stories": {
        "status": "case when f.status = 'published' then coalesce(k.now ->> 'status', f.status) else f.status end",
        "published_at": "case when f.status = 'published' and coalesce(k.now ->> 'status', f.status) = 'published' "
        "then f.published_at end",
        "sensitivity": "case when {level_now} > {level} then k.now ->> 'sensitivity' else f.sensitivity end".format(
            level_now=_LEVEL.format("k.now ->> 'sensitivity'"), level=_LEVEL.format("f.sensitivity")
        ),
        "requires_elder_review": "f.requires_elder_review or coalesce((k.now ->> 'requires_elder_review')::boolean, false)",
    },
}

TABLES = frozenset(_COLUMNS)


def keep(stage: Stage) -> None:
    """Rows that will be written, no more open than they were last made."""
    if stage.mode is None or "audit.images" not in stage.model.by_name:
        return
    for name, columns in _COLUMNS.items():
        rule = stage.rule_of.get(name)
        if rule is None or not {"privacy", *columns} <= set(rule.table.columns):
            continue
        parts = {
            "name": sql.Literal(name.partition(".")[2]),
            "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
            "wanted": sql.SQL(", ").join(sql.Identifier("w", column) for column in columns),
            "ours": sql.SQL(", ").join(sql.Identifier("f", column) for column in columns),
            "more": sql.SQL(", ").join(
                sql.SQL("{} as {}").format(sql.SQL(_literal(text)), sql.Identifier(column))
                for column, text in columns.items()
            ),
        }
        stage.live.execute(filled(_text(), rule.table, **parts))


def told(stage: Stage) -> tuple[str, ...]:
    """Which rows stay narrower than the snapshot has them: ``<table> <id>``."""
    rows = stage.live.execute(
        "select table_name || ' ' || id from merge_exempt where why = 'narrowed' order by 1"
    ).fetchall()
    return tuple(row[0] for row in rows)


def _text() -> LiteralString:
    return _literal(
        (files("ledger_assets.backup.merge") / "sql" / "narrowed.sql").read_text(encoding="utf-8")
    )


def _literal(text: str) -> LiteralString:
    made: Any = text  # our own files and the table above
    return cast(LiteralString, made)
