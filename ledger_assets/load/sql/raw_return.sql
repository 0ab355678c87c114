update airtable.{table} d
set source_deleted_at = null
from {keys} s
where d.base_id = %(base)s and d.source_deleted_at is not null and d.table_id = s.table_id and {same_key}
returning d.table_id
