-- A field that repeats what every record says of itself: <own> is that, as text; a cell must be there and equal.
with judged as (
  select record_id, nullif(fields -> {field}, 'null') as cell,
         case
           when jsonb_typeof(fields -> {field}) = 'object' then 'error'
           when fields ->> {field} = any ({own}) then 'agree'
           else 'differ'
         end as verdict
  from proof_raw r
  where table_id = %(table)s
)
select 0, verdict, count(*), count(cell),
       (array_agg(record_id order by record_id) filter (where verdict = 'differ'))[1:20]
from judged
group by verdict
