-- Pages of a table's rows, and bytes with what lies beside them (TOAST).
select (pg_relation_size(c.oid) / current_setting('block_size')::int)::bigint, pg_table_size(c.oid)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %(schema)s and c.relname = %(name)s
