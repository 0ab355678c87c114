-- Fields of one table that Airtable computes from the record itself: what it says of itself, how many links it has.
-- <judged>: (n, field, cell, verdict) of each.
select n, verdict, count(*), count(cell),
       array(select i from unnest(array_agg(record_id) filter (where verdict in ('fewer', 'differ'))) i
             order by i limit 20)
from (
  select r.record_id, x.n, x.cell,
         case
           when (x.field, r.record_id) in (select field_id, record_id from proof_redacted where table_id = %(table)s)
             then 'redacted'
           else x.verdict
         end as verdict
  from proof_raw r
  {cells}
  cross join lateral (values {judged}) x (n, field, cell, verdict)
  where r.table_id = %(table)s
  offset 0
) judged
group by n, verdict
