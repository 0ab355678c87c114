-- All lookups and rollups of one table through one link field: the cells of the linked records, in link order, lists
-- flattened, nulls in place, against Airtable's own values. Equal as they stand is the rule; else compared without
-- empty places and with objects (attachments, people) by their id: addresses of files change with every answer.
with linked as (
  select l.record_id, {made}
  from proof_links l
  left join (
    select r.record_id, c.* from proof_raw r {of_cells} where r.table_id = %(of_table)s
  ) o on o.record_id = l.target_id
  where l.table_id = %(table)s and l.field_id = %(via)s
  group by l.record_id
), compared as (
  select r.record_id, x.n, x.cell, x.made, x.aggregated,
         case
           when (x.field, r.record_id) in (select field_id, record_id from proof_redacted where table_id = %(table)s)
             then 'redacted'
           when x.cell is not distinct from x.made then 'agree'
           when jsonb_typeof(x.cell) = 'object' and x.cell ?| '{{error,specialValue}}' then 'error'
           when x.aggregated and x.cell is not null and jsonb_typeof(x.cell) <> 'array' then 'aggregated'
         end as verdict
  from proof_raw r
  {cells}
  left join linked k on k.record_id = r.record_id
  cross join lateral (values {pairs}) x (n, field, cell, made, aggregated)
  where r.table_id = %(table)s and (x.cell is not null or x.made is not null)
  offset 0  -- judged once for each cell, however often the verdict is used below
), judged as (
  select p.record_id, p.n, p.cell is not null as has_cell,
         coalesce(p.verdict, (
           select case
             when shown.list = known.list then 'agree'
             when p.aggregated and shown.list <@ known.list and known.list <@ shown.list then 'agree'
             when p.aggregated and shown.list <@ known.list then 'fewer'
             when jsonb_array_length(shown.list) < jsonb_array_length(known.list)
                  and not exists (select jsonb_array_elements(shown.list) except all
                                  select jsonb_array_elements(known.list)) then 'fewer'
             else 'differ'
           end
           from (
             select coalesce(jsonb_agg(case when jsonb_typeof(e.value) = 'object' then coalesce(e.value -> 'id', e.value)
                                            else e.value end order by e.n), '[]') as list
             from jsonb_array_elements(
               case jsonb_typeof(p.cell) when 'array' then p.cell else jsonb_build_array(p.cell) end
             ) with ordinality e (value, n)
             where jsonb_typeof(e.value) <> 'null'
           ) shown
           cross join (
             select coalesce(jsonb_agg(case when jsonb_typeof(e.value) = 'object' then coalesce(e.value -> 'id', e.value)
                                            else e.value end order by e.n), '[]') as list
             from jsonb_array_elements(coalesce(p.made, '[]')) with ordinality e (value, n)
             where jsonb_typeof(e.value) <> 'null'
           ) known
         )) as verdict
  from compared p
  offset 0
)
select n, verdict, count(*), count(*) filter (where has_cell),
       array(select i from unnest(array_agg(record_id) filter (where verdict in ('fewer', 'differ'))) i
             order by i limit 20)
from judged
group by n, verdict
