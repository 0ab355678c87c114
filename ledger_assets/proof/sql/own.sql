-- A field that repeats what every record says of itself: <own> is that, as text; a cell must be there and equal.
with judged as (
  select r.record_id, r.cell,
         case
           when jsonb_typeof(r.cell) = 'object' then 'error'
           when r.cell #>> '{{}}' = any ({own}) then 'agree'
           else 'differ'
         end as verdict
  from (
    select record_id, created_time, nullif(fields -> {field}, 'null') as cell
    from proof_raw where table_id = %(table)s
    offset 0
  ) r
)
select 0, verdict, count(*), count(cell),
       (array_agg(record_id order by record_id) filter (where verdict = 'differ'))[1:20]
from judged
group by verdict
