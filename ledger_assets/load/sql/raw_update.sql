update airtable.{table} d
set {assignments}, source_deleted_at = null
from {stage} s
where d.base_id = s.base_id and d.table_id = s.table_id and {same_key}
