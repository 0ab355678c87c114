-- Extensions, and whether an object of these schemas cannot be made without them. What a function's body calls by name only
-- leaves no trace here.
with named as (
  select oid from pg_namespace where nspname = any (%(schemas)s)
),
members as (
  select refobjid as extension, classid, objid from pg_depend
  where refclassid = 'pg_extension'::regclass and deptype = 'e'
),
relations as (
  select oid from pg_class where relnamespace in (select oid from named)
),
ours (classid, objid) as (
  select 'pg_class'::regclass::oid, oid from relations
  union all select 'pg_proc'::regclass, oid from pg_proc where pronamespace in (select oid from named)
  union all select 'pg_type'::regclass, oid from pg_type where typnamespace in (select oid from named)
  union all select 'pg_constraint'::regclass, oid from pg_constraint where connamespace in (select oid from named)
  union all select 'pg_policy'::regclass, oid from pg_policy where polrelid in (select oid from relations)
  union all select 'pg_attrdef'::regclass, oid from pg_attrdef where adrelid in (select oid from relations)
  union all select 'pg_rewrite'::regclass, oid from pg_rewrite where ev_class in (select oid from relations)
)
select e.extname, n.nspname, e.extversion, exists (
  select from ours o join pg_depend d on d.classid = o.classid and d.objid = o.objid
  join members m on m.classid = d.refclassid and m.objid = d.refobjid and m.extension = e.oid
  where not exists (select from members x where x.classid = o.classid and x.objid = o.objid)
)
from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where e.extname <> 'plpgsql'
order by 1
