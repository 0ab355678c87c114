-- One lean line for every row of a table that this load writes: which, what, and (by default) the run. No copy of the row:
-- what it was is in the raw records, and copying it costs as much again as writing it.
insert into audit.log (table_name, row_id, action, changed)
select %(table)s, id::text, case action when 'insert' then 'insert' else 'update' end,
  case when action = 'delete' or returned then array['source_deleted_at'] end
from {diff}
where action in ('insert', 'update', 'delete') or returned
