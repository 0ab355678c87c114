"""A consent that was withdrawn since the snapshot does not come back as given, also where its row was lost.

What belongs here: asking the live history of consents. What does not: rows that still stand there as withdrawn, which no
mode may change (``rules``).

Invariants: the history decides (``consent_events`` outlives a TRUNCATE of stories, which empties consents): a row of the
snapshot that says given is written as withdrawn when the last word on it was that.
"""

from __future__ import annotations

from psycopg import sql

from ledger_assets.backup.merge.stage import Stage, filled

CONSENTS, EVENTS = "public.consents", "public.consent_events"

_KEEP = """
update {f} f set state = 'withdrawn' where f.state = 'given' and exists (
  select from public.consent_events e where e.consent_id = f.id and e.event = 'withdrawn' and not exists (
    select from public.consent_events l where l.consent_id = f.id and l.event = 'given' and l.at > e.at
  )
)
"""
_TOLD = """
select {label} from {f} t join {s} s using ({key}) join {c} c using ({key})
where merge_allowed and t.state = 'withdrawn' and {hash} <> s.merge_hash
union
select c.merge_label from {c} c join only {table} t using ({key})
where not merge_allowed and merge_action in ('u', 'd') and t.state = 'withdrawn' and {asked}
order by 1
"""


def keep(stage: Stage) -> None:
    """Rows of consents that will be written, as the history leaves them."""
    rule = stage.rule_of.get(CONSENTS)
    if rule is not None and EVENTS in stage.model.by_name and stage.mode is not None:
        stage.live.execute(filled(_KEEP, rule.table))


def told(stage: Stage) -> tuple[str, ...]:
    """Which they are, and those that stand there as withdrawn and would have been changed."""
    rule = stage.rule_of.get(CONSENTS)
    if rule is None or stage.mode is None:
        return ()
    asked = sql.Literal(stage.mode.kind != "lost")
    return tuple(row[0] for row in stage.live.execute(filled(_TOLD, rule.table, asked=asked)).fetchall())
