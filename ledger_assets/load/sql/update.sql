-- Whole rows: a cell that was emptied in Airtable is emptied here. The condition is asked again on the row as it is
-- now: somebody may have edited it since the comparison.
update public.{table} d
set {assignments}, export_id = %(export)s, locally_changed = false, source_deleted_at = null, updated_at = now()
from {stage} s
join {diff} x on x.id = s.id
where d.id = s.id and (not d.locally_changed or d.updated_at = x.taken)
