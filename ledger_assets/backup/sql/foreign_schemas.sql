-- Schemas that are not Postgres's own, not in the list, and not made by an extension.
select n.nspname::text
from pg_namespace n
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not n.nspname ~ %(platform)s
  and not exists (
    select from pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e'
  )
order by 1
