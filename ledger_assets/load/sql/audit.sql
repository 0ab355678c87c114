-- Lean lines for what this load writes to a table, without copies of rows: what they were is in the raw records. A row that
-- was changed or has gone has a line of its own; all new rows together have one (each tells its export itself, and its
-- created_at is this line's at): a line for each cost a fifth of the whole load.
insert into audit.log (table_name, row_id, action, changed, rows)
select %(table)s, id::text, 'update', case when action = 'delete' or returned then array['source_deleted_at'] end, 1
from {diff}
where action in ('update', 'delete') or returned
union all
select %(table)s, null, 'insert', null, count(*) from {diff} where action = 'insert' having count(*) > 0
