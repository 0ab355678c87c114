-- The parts of list cells (links, attachments) against their rows. <source>: (record_id, part_id, position, detail) of
-- the raw records; <stored>: the same of the rows, with owner_id (the record that the row hangs on) and locally_changed.
-- A part that stands in its cell twice is told apart by n. A finding accounts for a part that it names and that is there
-- twice or <unplaced>, or for all parts of a cell that has not its shape (<whole> is false).
with claimed as materialized (
  select r.record_id, q.reason, r.fields, r.lossy, r.raw
  from proof_rejected q
  join proof_raw r on r.table_id = %(table)s and r.record_id = q.record_id collate "default"
  where q.table_id = %(table)s and q.field_id = %(field)s and q.kind = 'quarantine'
    and coalesce(q.target, %(name)s) = %(name)s
), refused as materialized (
  select r.record_id, r.reason, %(field)s = any (r.lossy) or not {whole} as shapeless from claimed r
), source as (
  select *, row_number() over (partition by record_id, part_id order by position) as n from ({source}) s
), stored as (
  select *, row_number() over (partition by record_id, part_id order by position) as n from ({stored}) t
), judged as (
  select coalesce(s.record_id, t.record_id) as record_id, s.record_id is not null as of_cell,
         case
           when t.record_id is null then case
             when exists (select from refused q
                          where q.record_id = s.record_id
                            and (q.shapeless or position(s.part_id in q.reason) > 0 and (s.n > 1 or {unplaced})))
               then 'rejected'
             when exists (select from proof_rejected q
                          where q.table_id = %(table)s and q.record_id = s.record_id and q.kind = 'quarantine'
                            and q.field_id is null and q.target = %(owner)s)
               then 'rejected'
             when exists (select from proof_skipped k
                          where k.table_id = %(table)s and k.record_id = s.record_id
                            and k.target in (%(name)s, %(owner)s))
               then 'skipped'
             else 'missing' end
           when s.record_id is null then case when t.locally_changed then 'added' else 'extra' end
           when t.owner_id is not distinct from t.record_id and t.position = s.position
                and t.detail is not distinct from s.detail then 'same'
           when t.locally_changed then 'changed'
           when t.position <> s.position then 'reordered'
           else 'different'
         end as verdict
  from source s
  full join stored t on t.record_id = s.record_id and t.part_id = s.part_id and t.n = s.n
), cells as (
  select r.record_id,
         case
           when bool_or(j.verdict in ('missing')) then 'missing'
           when bool_or(j.verdict in ('reordered', 'different', 'extra')) then 'different'
           when bool_or(j.verdict in ('changed', 'added')) then 'changed'
           when bool_or(j.verdict = 'rejected') or r.record_id in (select record_id from refused where shapeless)
             then 'rejected'
           when bool_or(j.verdict = 'skipped') then 'skipped'
           else 'same'
         end as verdict
  from proof_cells r
  left join judged j on j.record_id = r.record_id
  where r.table_id = %(table)s and r.field_id = %(field)s
  group by r.record_id
  union all
  select j.record_id, min(j.verdict)
  from judged j
  where not exists (select from proof_cells r
                    where r.table_id = %(table)s and r.field_id = %(field)s and r.record_id = j.record_id)
  group by j.record_id
)
select 'part' as level, verdict, count(*),
       array(select distinct i
             from unnest(array_agg(record_id)
                         filter (where verdict in ('missing', 'extra', 'reordered', 'different'))) i
             order by i limit 20)
from judged group by verdict
union all
select 'cell', verdict, count(*),
       array(select distinct i
             from unnest(array_agg(record_id) filter (where verdict in ('missing', 'extra', 'different'))) i
             order by i limit 20)
from cells group by verdict
