-- Roles that own something of these schemas, or are named in a grant or a policy there.
with named as (
  select oid from pg_namespace where nspname = any (%(schemas)s)
),
relations as (
  select oid from pg_class where relnamespace in (select oid from named)
),
ours (classid, objid) as (
  select 'pg_namespace'::regclass::oid, oid from named
  union all select 'pg_class'::regclass, oid from relations
  union all select 'pg_proc'::regclass, oid from pg_proc where pronamespace in (select oid from named)
  union all select 'pg_type'::regclass, oid from pg_type where typnamespace in (select oid from named)
  union all select 'pg_default_acl'::regclass, oid from pg_default_acl where defaclnamespace in (select oid from named)
  union all select 'pg_policy'::regclass, oid from pg_policy where polrelid in (select oid from relations)
)
select distinct r.rolname::text
from pg_shdepend s
join ours o on o.classid = s.classid and o.objid = s.objid
join pg_roles r on r.oid = s.refobjid
where s.refclassid = 'pg_authid'::regclass
  and s.dbid = (select oid from pg_database where datname = current_database())
order by 1
