-- Sequences of these schemas, not those that an extension made.
select format('%%I.%%I', n.nspname, c.relname), n.nspname, c.relname
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'S' and n.nspname = any (%(schemas)s)
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by 1
