-- Findings of one kind on the cells of one field that are none: the rule accepts the cell as it was delivered. The records
-- are found by their key (its collation is the database's), and only then is a cell looked at.
with claimed as materialized (
  select q.ctid as id, r.record_id, r.fields, r.lossy, r.raw
  from proof_rejected q
  join proof_raw r on r.table_id = %(table)s and r.record_id = q.record_id collate "default"
  where q.table_id = %(table)s and q.field_id = %(field)s and q.kind = %(kind)s
    and coalesce(q.target, %(name)s) = %(name)s
), dropped as (
  delete from proof_rejected q
  where q.ctid in (select r.id from claimed r where %(field)s <> all (r.lossy) and {accepted})
  returning q.record_id
)
select count(*), (array_agg(record_id order by record_id))[1:20] from dropped
