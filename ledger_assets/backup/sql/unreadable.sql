-- What the current role cannot read: a table or a sequence without the right to select, a schema without the right to
-- enter. Row-level security is asked for before: load.connect lets in only roles that bypass it, FORCE included.
select 'schema', format('%%I', n.nspname), 'usage'
from pg_namespace n
where n.nspname = any (%(schemas)s) and not has_schema_privilege(n.oid, 'usage')
union all
select case c.relkind when 'S' then 'sequence' else 'table' end, format('%%I.%%I', n.nspname, c.relname), 'select'
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s) and c.relkind in ('r', 'p', 'S')
  and not case c.relkind when 'S' then has_sequence_privilege(c.oid, 'select') else has_table_privilege(c.oid, 'select') end
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by 2
