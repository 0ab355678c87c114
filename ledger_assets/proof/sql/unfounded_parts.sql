-- Findings on one list field that are none: the cell has its shape, and no part that the finding names is unplaced (the
-- linked record has no row) or there twice.
with claimed as materialized (
  select q.ctid as id, r.record_id, q.reason, r.fields, r.lossy, r.raw
  from proof_rejected q
  join proof_raw r on r.table_id = %(table)s and r.record_id = q.record_id collate "default"
  where q.table_id = %(table)s and q.field_id = %(field)s and q.kind = 'quarantine'
    and coalesce(q.target, %(name)s) = %(name)s
), named as (
  select r.id, r.record_id, r.reason from claimed r where %(field)s <> all (r.lossy) and {whole}
), listed as (
  select p.record_id, p.{part} as part, {unplaced} as unplaced,
         row_number() over (partition by p.record_id, p.{part} order by p.position) > 1 as repeated
  from {parts} p
  where p.table_id = %(table)s and p.field_id = %(field)s and p.record_id in (select record_id from named)
), founded as (
  select n.id
  from named n
  join listed l on l.record_id = n.record_id and position(l.part in n.reason) > 0 and (l.unplaced or l.repeated)
), dropped as (
  delete from proof_rejected q
  where q.ctid in (select id from named) and q.ctid not in (select id from founded)
  returning q.record_id
)
select count(*), (array_agg(record_id order by record_id))[1:20] from dropped
