-- A table, view or function of these schemas that is there already (an extension's do not count).
select format('%%I.%%I', n.nspname, x.name)
from (
  select 'pg_class'::regclass as classid, oid, relnamespace as space, relname as name from pg_class
  union all select 'pg_proc'::regclass, oid, pronamespace, proname from pg_proc
) x
join pg_namespace n on n.oid = x.space
where n.nspname = any (%(schemas)s)
  and not exists (select from pg_depend d where d.classid = x.classid and d.objid = x.oid and d.deptype = 'e')
order by 1 limit 1
