-- Findings that refuse whole records though createdTime can be read and each column that must not be empty gets a value.
with claimed as materialized (
  select q.ctid as id, r.record_id, r.fields, r.lossy, r.raw
  from proof_rejected q
  join proof_raw r on r.table_id = %(table)s and r.record_id = q.record_id collate "default"
  where q.table_id = %(table)s and q.field_id is null and q.kind = 'quarantine'
    and coalesce(q.target, %(name)s) = %(name)s
), dropped as (
  delete from proof_rejected q
  where q.ctid in (
    select r.id from claimed r
    where r.raw ~ '"createdTime":\s*"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{{1,6}})?(Z|[+-]\d\d:\d\d)"' and {usable})
  returning q.record_id
)
select count(*), (array_agg(record_id order by record_id))[1:20] from dropped
