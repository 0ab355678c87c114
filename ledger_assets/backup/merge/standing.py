"""Shares of a value event that were lost come back only where they still add up to its amount.

What belongs here: the rows of ``value_distributions`` whose event, or whose other shares, people changed since. What does
not: a community's insight that no longer stands on three stories: that a story moves away does not end an insight, so
it comes back as it would stand without the loss (the schema's trigger is silent in a restore).

Invariants: no restore leaves shares that do not add up; what it leaves out for that is told by id.
"""

from __future__ import annotations

from psycopg import sql

from ledger_assets.backup.merge.model import Table
from ledger_assets.backup.merge.parents import some
from ledger_assets.backup.merge.stage import Stage, filled, labels
from ledger_assets.errors import TargetError

EVENTS, SHARES = "public.value_events", "public.value_distributions"
TABLES = frozenset({SHARES})

_UNEVEN = """
create temp table merge_uneven on commit drop as
with events as (
  select e.id, e.amount from public.value_events e
  where not exists (select from {event_c} c where c.id = e.id and c.merge_allowed)
  union all select f.id, f.amount from {event_f} f
), shares as (
  select t.id, t.event_id, t.amount from only {table} t
  where not exists (select from {share_c} c where c.id = t.id and c.merge_allowed)
  union all select f.id, f.event_id, f.amount from {share_f} f
), touched as (
  select f.event_id as id from {share_f} f
  union select t.event_id from {share_c} c join only {table} t on t.id = c.id where c.merge_allowed
  union select c.id from {event_c} c where c.merge_allowed and c.merge_action <> 'i'
)
select e.id from events e join shares s on s.event_id = e.id
where e.id in (select o.id from touched o)
group by e.id, e.amount having sum(s.amount) <> e.amount
"""
_CHANGED = """
select u.id::text from merge_uneven u join {event_c} c on c.id = u.id where c.merge_allowed and c.merge_action <> 'i'
union
select u.id::text from merge_uneven u join only {table} t on t.event_id = u.id join {share_c} c on c.id = t.id
where c.merge_allowed
union
select u.id::text from merge_uneven u join {share_f} f on f.event_id = u.id join {share_c} c on c.id = f.id
where c.merge_action <> 'i'
order by 1
"""
_LEAVE_OUT = """
with gone as (delete from {f} f using merge_uneven u where f.event_id = u.id returning f.id),
told as (insert into merge_exempt (table_name, id, why) select {name}, id, 'uneven' from gone)
delete from {c} c using gone g where c.id = g.id
"""


def keep(stage: Stage) -> None:
    """Leave out lost shares that do not fit. Raises TargetError where a part would change rows that then do not."""
    looked_at = {EVENTS, SHARES} & stage.rule_of.keys()
    if not looked_at or stage.mode is None or stage.mode.kind == "exact":
        return
    shares, events = stage.model.by_name[SHARES], stage.model.by_name[EVENTS]
    parts = {
        f"{side}_{kind}": table.temp(kind) if table.full in looked_at else _nothing(table)
        for side, table in (("share", shares), ("event", events))
        for kind in ("c", "f")
    }
    stage.live.execute(filled(_UNEVEN, shares, **parts))
    if left := labels(stage, filled(_CHANGED, shares, **parts)):
        raise TargetError(
            f"the shares of {some(left)} of {EVENTS} would not add up to their amount: restore exactly, or correct "
            "them first"
        )
    if SHARES in looked_at:
        stage.live.execute(filled(_LEAVE_OUT, shares, name=sql.Literal(shares.name)))


def _nothing(table: Table) -> sql.Composed:
    """In place of the temporary tables of one that is not looked at."""
    return filled("(select t.*, false as merge_allowed, '' as merge_action from {table} t limit 0)", table)


def told(stage: Stage) -> tuple[str, ...]:
    """The ids of the shares that stay out."""
    rows = stage.live.execute("select id::text from merge_exempt where why = 'uneven' order by 1").fetchall()
    return tuple(row[0] for row in rows)
