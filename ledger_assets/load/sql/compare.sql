-- What the staged keys change in a table: one row for each id that is not the same on both sides.
-- taken: the row's updated_at when a person said "take Airtable's"; an edit made after that is not overwritten.
create temp table {diff} on commit drop as
select id, taken, returned,
  case
    when is_new then 'insert'
    when is_gone then 'delete'
    when differs and (not locally_changed or taken is not null) then 'update'
    when differs then 'conflict'
    else 'return'
  end as action
from (
  select coalesce(s.id, d.id) as id,
    d.id is null as is_new,
    s.id is null as is_gone,
    d.source_hash is distinct from s.source_hash as differs,
    d.locally_changed,
    s.id is not null and d.source_deleted_at is not null as returned,
    f.updated_at as taken
  from {keys} s
  full join public.{table} d on d.id = s.id
  left join (
    select row_id, (detail->>'row_updated_at')::timestamptz as updated_at
    from migration.findings
    where base_id = %(base)s and kind = 'conflict' and table_name = %(table)s
      and status = 'resolved' and resolution = 'airtable'
  ) f on f.row_id = d.id and f.updated_at = d.updated_at
  where d.id is null
    or s.id is not null and (d.source_hash is distinct from s.source_hash or d.source_deleted_at is not null)
    or s.id is null and d.source_deleted_at is null and {in_scope}
) compared
