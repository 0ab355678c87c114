update airtable.{table} d
set source_deleted_at = now()
where d.base_id = %(base)s and d.source_deleted_at is null and d.table_id <> all (%(same)s::text[]) and {in_scope}
  and not exists (select from {keys} s where d.table_id = s.table_id and {same_key})
returning d.table_id
