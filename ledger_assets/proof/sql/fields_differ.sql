-- Records whose columns for queries are not what their exact text says. Those with lossy fields are compared by the
-- caller: their text cannot be cast. <trusted> keeps altered texts out, which need not be JSON at all.
select table_id, count(*), array(select i from unnest(array_agg(record_id)) i order by i limit 20)
from (
  select table_id, record_id, fields, created_time, raw::jsonb as delivered
  from proof_raw
  where lossy = '{{}}' and {trusted}
  offset 0
) r
where not (delivered -> 'fields' = fields and delivered ->> 'id' = record_id
           and (delivered ->> 'createdTime')::timestamptz = created_time) is true
group by table_id
