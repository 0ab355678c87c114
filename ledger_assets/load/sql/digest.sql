-- The hash that the ledger's manifest has of the table's rows (id, source_hash), of the rows as they are now.
select encode(sha256(convert_to(coalesce(
  string_agg(d.id || ' ' || encode(d.source_hash, 'hex') || e'\n', '' order by d.id), ''), 'UTF8')), 'hex')
from public.{table} d
where d.source_deleted_at is null and {in_scope}
