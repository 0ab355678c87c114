-- What the API's roles reach, as the catalogue says: one row per kind, thing, act and role, with the columns.
with roles (role) as (
  select rolname from pg_catalog.pg_roles
  where rolname in ('anon', 'authenticated', 'service_role', 'supabase_auth_admin')
), relations as (
  select c.oid, format('%I.%I', n.nspname, c.relname) as name, n.nspname as schema, c.relkind, c.relrowsecurity
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('public', 'airtable', 'migration', 'audit', 'private')
    and not exists (
      select from pg_catalog.pg_depend d where d.objid = c.oid and d.classid = 'pg_catalog.pg_class'::regclass and d.deptype = 'e'
    )
), columns as (
  select r.name, k.act, o.role,
    array_agg(a.attname::text order by a.attnum) filter (where has_column_privilege(o.role, r.oid, a.attnum, k.privilege)) as granted,
    array_agg(a.attname::text order by a.attnum) as every
  from relations r
  join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  cross join roles o
  cross join (values ('read', 'select'), ('add', 'insert'), ('change', 'update')) k (act, privilege)
  where r.relkind in ('r', 'p', 'v', 'm', 'f')
  group by r.name, k.act, o.role
)
select 'relation' as kind, r.name, null as act, null as role, array(
  select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped order by a.attnum
) as columns
-- What views of private show stands in tables that have their rows; a table there holds rows of its own.
from relations r where r.relkind in ('r', 'p') or (r.relkind in ('v', 'm', 'f') and r.schema <> 'private')
union all
select 'columns', c.name, c.act, c.role, case when c.granted = c.every then array['all'] else c.granted end
from columns c where c.granted is not null
union all
select 'columns', r.name, 'remove', o.role, array['all']
from relations r cross join roles o
where r.relkind in ('r', 'p', 'v', 'm', 'f') and has_table_privilege(o.role, r.oid, 'delete')
union all
select 'function', format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)), 'call', o.role, null
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
cross join roles o
where n.nspname in ('public', 'airtable', 'migration', 'audit', 'private')
  and has_function_privilege(o.role, p.oid, 'execute')
  and not exists (
    select from pg_catalog.pg_depend d where d.objid = p.oid and d.classid = 'pg_catalog.pg_proc'::regclass and d.deptype = 'e'
  )
-- What no session of the API has any use for.
union all
select 'never', r.name, k.privilege, o.role, null
from relations r
cross join roles o
cross join (values ('truncate'), ('references'), ('trigger')) k (privilege)
where r.relkind in ('r', 'p', 'v', 'm', 'f') and (
  has_table_privilege(o.role, r.oid, k.privilege)
  or (k.privilege = 'references' and has_any_column_privilege(o.role, r.oid, 'references'))
)
union all
select 'never', r.name, 'sequence', o.role, null
from relations r cross join roles o
where r.relkind = 'S' and has_sequence_privilege(o.role, r.oid, 'usage, select, update')
union all
select 'never', r.name, 'row security off', null, null
from relations r where r.relkind in ('r', 'p') and not r.relrowsecurity
union all
select 'never', r.name, 'view as its owner', o.role, null
from relations r join pg_catalog.pg_class c on c.oid = r.oid cross join roles o
where r.relkind = 'v' and r.schema <> 'private'
  and not coalesce(c.reloptions @> array['security_invoker=true'] or c.reloptions @> array['security_invoker=on'], false)
  and has_any_column_privilege(o.role, r.oid, 'select')
union all
select 'never', n.nspname, 'create in the schema', o.role, null
from pg_catalog.pg_namespace n cross join roles o
where n.nspname in ('public', 'airtable', 'migration', 'audit', 'private') and has_schema_privilege(o.role, n.oid, 'create')
order by 1, 2, 3, 4
