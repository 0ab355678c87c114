-- Rows changed on both sides, after the update. silenced: a person has decided to keep the row against exactly this
-- state of the source.
select d.id, d.airtable_table_id, d.airtable_record_id, encode(s.source_hash, 'hex'), d.updated_at::text,
  f.id is not null as silenced
from {keys} s
join public.{table} d on d.id = s.id
left join migration.findings f on f.row_id = d.id and f.base_id = %(base)s and f.kind = 'conflict'
  and f.table_name = %(table)s and f.resolution in ('postgres', 'skip')
  and f.detail->>'source_hash' = encode(s.source_hash, 'hex')
where d.locally_changed and d.source_hash is distinct from s.source_hash
