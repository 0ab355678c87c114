-- A count against the number of links. No cell and no link agree.
with made as (
  select record_id, count(*) as made
  from proof_links where table_id = %(table)s and field_id = %(via)s group by record_id
), judged as (
  select r.record_id, r.cell,
         case
           when jsonb_typeof(r.cell) = 'object' then 'error'
           when coalesce(r.cell #>> '{{}}', '0') = coalesce(m.made, 0)::text then 'agree'
           when jsonb_typeof(coalesce(r.cell, '0')) <> 'number' then 'differ'
           when coalesce(r.cell #>> '{{}}', '0')::numeric < coalesce(m.made, 0) then 'fewer'
           else 'differ'
         end as verdict
  from (
    select record_id, nullif(fields -> {field}, 'null') as cell from proof_raw where table_id = %(table)s
    offset 0
  ) r
  left join made m on m.record_id = r.record_id
)
select 0, verdict, count(*), count(cell),
       (array_agg(record_id order by record_id) filter (where verdict in ('fewer', 'differ')))[1:20]
from judged
group by verdict
