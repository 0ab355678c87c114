-- Records whose columns for queries are not what their exact text says. Those with lossy fields are compared by the
-- caller: their text cannot be cast. <trusted> keeps altered texts out, which need not be JSON at all.
select r.table_id, count(*), array(select i from unnest(array_agg(r.record_id)) i order by i limit 20)
from proof_raw r
cross join lateral jsonb_to_record(r.raw::jsonb) d (id text, "createdTime" timestamptz, fields jsonb)
where r.lossy = '{{}}' and {trusted}
  and not (d.fields = r.fields and d.id = r.record_id and d."createdTime" = r.created_time) is true
group by r.table_id
