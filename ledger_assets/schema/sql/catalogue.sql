-- One row per object of our schemas: kind, name, what it belongs to (kind and name, NULL: nothing), definition.
-- The same text on Postgres 15 to 18, but for the queries of views (kind "query"), which 16 qualifies otherwise.
-- The role that owns most of our tables is written (owner), so that its name makes no difference.
with ours as (
  select * from pg_namespace where nspname = any (%(schemas)s)
),
main as (
  select coalesce(mode() within group (order by c.relowner), 0::oid) as owner
  from pg_class c join ours n on n.oid = c.relnamespace where c.relkind in ('r', 'p')
),
-- The database's owner is behind pg_database_owner, to whom schema public belongs.
names as (
  select r.oid, case when r.oid = main.owner or r.rolname = 'pg_database_owner' then '(owner)' else r.rolname::text end as name
  from pg_roles r, main
  union all select 0::oid, 'PUBLIC'
),
extended as (
  select classid, objid from pg_depend where deptype = 'e'
),
relations as (
  select c.*, format('%%I.%%I', n.nspname, c.relname) as name,
    case c.relkind
      when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' when 'S' then 'sequence'
      else 'table'
    end as kind,
    -- The sequence of an identity or serial column belongs to its table.
    (select d.refobjid from pg_depend d
     where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
       and d.refobjsubid > 0 and d.deptype in ('a', 'i') and c.relkind = 'S' limit 1) as of_table,
    format('schema %%I', n.nspname) as of_schema
  from pg_class c join ours n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and not exists (select from extended e where e.classid = 'pg_class'::regclass and e.objid = c.oid)
),
routines as (
  select p.*, p.oid::regprocedure::text as name, format('schema %%I', n.nspname) as of_schema,
    case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind
  from pg_proc p join ours n on n.oid = p.pronamespace
  where not exists (select from extended e where e.classid = 'pg_proc'::regclass and e.objid = p.oid)
),
types as (
  select t.*, format('%%I.%%I', n.nspname, t.typname) as name, format('schema %%I', n.nspname) as of_schema
  from pg_type t join ours n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
  where (t.typtype in ('d', 'e', 'r') or (t.typtype = 'c' and c.relkind = 'c'))
    and not exists (select from extended e where e.classid = 'pg_type'::regclass and e.objid = t.oid)
),
acls as (
  select 'schema' as kind, format('%%I', nspname) as name, nspowner as owner, coalesce(nspacl, acldefault('n', nspowner)) as acl
  from ours
  union all
  select kind, name, relowner,
    coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)) from relations
  union all select kind, name, proowner, coalesce(proacl, acldefault('f', proowner)) from routines
  union all select 'type', name, typowner, coalesce(typacl, acldefault('T', typowner)) from types
),
triggers as (
  select t.*, format('%%I.%%I', n.nspname, c.relname) as of_table,
    (select true from relations r where r.oid = t.tgrelid) as on_ours
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_proc p on p.oid = t.tgfoid
  left join pg_class other on other.oid = t.tgconstrrelid
  where c.relnamespace in (select oid from ours) or p.pronamespace in (select oid from ours)
    or other.relnamespace in (select oid from ours)
),
policies as (
  select p.*, format('%%I.%%I', n.nspname, c.relname) as of_table, c.relnamespace in (select oid from ours) as on_ours
  from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
  -- On the platform's tables (storage, realtime) those that stand on something of ours.
  where c.relnamespace in (select oid from ours) or exists (
    select from pg_depend d where d.classid = 'pg_policy'::regclass and d.objid = p.oid
      and (d.refobjid in (select oid from routines) or d.refobjid in (select oid from relations))
  )
),
defaults as (
  select kinds.code, kinds.name as what, a.defaclnamespace,
    coalesce(a.defaclacl, case when a.oid is null then acldefault(kinds.code::"char", main.owner) end) as acl
  from main
  cross join (values ('r', 'tables'), ('S', 'sequences'), ('f', 'functions'), ('T', 'types'), ('n', 'schemas')) kinds (code, name)
  left join pg_default_acl a
    on a.defaclrole = main.owner and a.defaclobjtype = kinds.code::"char" and a.defaclnamespace = 0
  where main.owner <> 0
  union all
  select kinds.code, kinds.name, a.defaclnamespace, a.defaclacl
  from main
  cross join (values ('r', 'tables'), ('S', 'sequences'), ('f', 'functions'), ('T', 'types')) kinds (code, name)
  join pg_default_acl a on a.defaclrole = main.owner and a.defaclobjtype = kinds.code::"char"
  where a.defaclnamespace in (select oid from ours)
)
select 'schema' as kind, format('%%I', n.nspname) as name, null as parent, 'owner ' || o.name as definition
from ours n join names o on o.oid = n.nspowner

union all
select r.kind, r.name, coalesce((select 'table ' || t.name from relations t where t.oid = r.of_table), r.of_schema),
  concat_ws('; ',
    'owner ' || o.name,
    case when r.kind = 'table' then 'row-level security ' || case when r.relrowsecurity then 'on' else 'off' end end,
    case when r.relforcerowsecurity then 'forced' end,
    case when r.relkind = 'p' then 'partitioned by ' || pg_get_partkeydef(r.oid) end,
    case when r.relispartition then 'partition ' || pg_get_expr(r.relpartbound, r.oid) end,
    case r.relpersistence when 'u' then 'unlogged' end,
    case when r.relkind in ('r', 'p') and r.relreplident <> 'd' then 'replica identity ' || r.relreplident::text end,
    'with ' || (select string_agg(x, ', ' order by x) from unnest(r.reloptions) x),
    'inherits ' || (select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno) from pg_inherits i where i.inhrelid = r.oid),
    (select format('%%s from %%s by %%s within %%s and %%s, cache %%s%%s', format_type(s.seqtypid, null), s.seqstart, s.seqincrement,
       s.seqmin, s.seqmax, s.seqcache, case when s.seqcycle then ', cycle' else '' end)
     from pg_sequence s where s.seqrelid = r.oid)
  )
from relations r join names o on o.oid = r.relowner

union all
select 'query', r.name, r.kind || ' ' || r.name, pg_get_viewdef(r.oid) from relations r where r.relkind in ('v', 'm')

union all
select 'column', r.name || '.' || quote_ident(a.attname), r.kind || ' ' || r.name,
  concat_ws(' ',
    format_type(a.atttypid, a.atttypmod),
    case when a.attcollation <> t.typcollation then 'collate ' || a.attcollation::regcollation::text end,
    case when a.attnotnull then 'not null' end,
    case a.attidentity when 'a' then 'generated always as identity' when 'd' then 'generated by default as identity' end,
    case when a.attgenerated <> '' then 'generated (' || a.attgenerated::text || ') as (' || pg_get_expr(d.adbin, d.adrelid) || ')'
      else 'default ' || pg_get_expr(d.adbin, d.adrelid) end
  )
from relations r
join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
where r.relkind <> 'S'

union all
-- Without NOT NULL, which 18 has as constraints and every version as a column's attribute.
select 'constraint', format('%%I on %%s', c.conname, r.name), r.kind || ' ' || r.name, pg_get_constraintdef(c.oid)
from pg_constraint c join relations r on r.oid = c.conrelid
where c.contype not in ('n', 't')

union all
select 'index', format('%%I on %%s', c.relname, r.name), r.kind || ' ' || r.name,
  pg_get_indexdef(i.indexrelid) || case when i.indisvalid and i.indisready then '' else '; not valid' end
from pg_index i join relations r on r.oid = i.indrelid join pg_class c on c.oid = i.indexrelid
where not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))

union all
select 'policy', format('%%I on %%s', p.polname, p.of_table), case when p.on_ours then 'table ' || p.of_table end,
  concat_ws(' ',
    case when p.polpermissive then 'permissive' else 'restrictive' end,
    'for ' || case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    'to ' || (select string_agg(o.name, ', ' order by o.name) from unnest(p.polroles) x join names o on o.oid = x),
    'using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
    'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'
  )
from policies p

union all
select p.kind, p.name, p.of_schema, 'owner ' || o.name || E'\n'
  || case when p.kind = 'aggregate' then (select format('%%s; %%s', g.aggtransfn, g.aggfinalfn) from pg_aggregate g where g.aggfnoid = p.oid)
     else pg_get_functiondef(p.oid) end
from routines p join names o on o.oid = p.proowner

union all
select 'trigger', format('%%I on %%s', t.tgname, t.of_table), case when t.on_ours then 'table ' || t.of_table end,
  case t.tgenabled when 'O' then '' when 'D' then 'DISABLED ' when 'A' then 'ENABLED ALWAYS ' else 'ENABLED FOR REPLICAS ONLY ' end
  || replace(pg_get_triggerdef(t.oid), coalesce(quote_literal((select rolname from pg_roles r, main where r.oid = main.owner)), ''''''), '''(owner)''')
from triggers t where not t.tgisinternal
union all
-- What checks foreign keys and deferred constraints is there unless its constraint is not: told only when switched off.
select 'trigger', format('of constraint %%I on %%s', c.conname, t.of_table), null, 'DISABLED'
from triggers t left join pg_constraint c on c.oid = t.tgconstraint
where t.tgisinternal and t.tgenabled <> 'O'
group by c.conname, t.of_table

union all
select 'rule', format('%%I on %%s', w.rulename, r.name), r.kind || ' ' || r.name, pg_get_ruledef(w.oid)
from pg_rewrite w join relations r on r.oid = w.ev_class where w.rulename <> '_RETURN'

union all
select 'type', t.name, t.of_schema, concat_ws('; ', 'owner ' || o.name,
  'values ' || (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
  case when t.typtype = 'd' then 'domain of ' || format_type(t.typbasetype, t.typtypmod) || case when t.typnotnull then ' not null' else '' end end,
  (select string_agg(pg_get_constraintdef(c.oid), '; ' order by c.conname) from pg_constraint c where c.contypid = t.oid and c.contype <> 'n'),
  'of ' || (select string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
    from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped))
from types t join names o on o.oid = t.typowner

union all
select 'operator', x.oid::regoperator::text, format('schema %%I', n.nspname), x.oprcode::regprocedure::text
from pg_operator x join ours n on n.oid = x.oprnamespace
where not exists (select from extended e where e.classid = 'pg_operator'::regclass and e.objid = x.oid)

union all
select 'statistics', format('%%I on %%s', s.stxname, r.name), r.kind || ' ' || r.name, pg_get_statisticsobjdef(s.oid)
from pg_statistic_ext s join relations r on r.oid = s.stxrelid

union all
select 'event trigger', quote_ident(e.evtname), null,
  concat_ws(' ', 'on', e.evtevent, 'execute', e.evtfoid::regprocedure::text, case e.evtenabled when 'D' then 'disabled' end)
from pg_event_trigger e where e.evtfoid in (select oid from routines)

union all
select 'extension', quote_ident(e.extname), format('schema %%I', n.nspname), 'in schema ' || quote_ident(n.nspname)
from pg_extension e join ours n on n.oid = e.extnamespace

union all
select 'publication', format('%%I of %%s', p.pubname, r.name), 'table ' || r.name,
  concat_ws(' ', 'published', 'where ' || pg_get_expr(x.prqual, x.prrelid))
from pg_publication_rel x join pg_publication p on p.oid = x.prpubid join relations r on r.oid = x.prrelid
union all
select 'publication', format('%%I of schema %%I', p.pubname, n.nspname), format('schema %%I', n.nspname), 'published'
from pg_publication_namespace x join pg_publication p on p.oid = x.pnpubid join ours n on n.oid = x.pnnspid
union all
select 'publication', format('%%I of all tables', p.pubname), null, 'published' from pg_publication p where p.puballtables

union all
-- MAINTAIN is left out: 17 has it and 15 does not.
select 'grant', format('%%s %%s to %%s', a.kind, a.name, o.name), a.kind || ' ' || a.name,
  string_agg(lower(x.privilege_type) || case when x.is_grantable then ' with grant option' else '' end, ', ' order by x.privilege_type)
from acls a cross join main cross join lateral aclexplode(a.acl) x join names o on o.oid = x.grantee
where x.grantee not in (a.owner, main.owner) and o.name <> '(owner)' and x.privilege_type <> 'MAINTAIN'
group by a.kind, a.name, o.name

union all
select 'grant', format('columns of %%s %%s to %%s: %%s', r.kind, r.name, o.name, lower(x.privilege_type)), r.kind || ' ' || r.name,
  string_agg(quote_ident(a.attname) || case when x.is_grantable then ' with grant option' else '' end, ', ' order by a.attname)
from relations r cross join main
join pg_attribute a on a.attrelid = r.oid and not a.attisdropped
cross join lateral aclexplode(a.attacl) x join names o on o.oid = x.grantee
where x.grantee not in (r.relowner, main.owner)
group by r.kind, r.name, o.name, x.privilege_type

union all
select 'default privileges', format('new %%s%%s to %%s', d.what, coalesce(' in schema ' || n.nspname, ''), o.name), null,
  string_agg(lower(x.privilege_type) || case when x.is_grantable then ' with grant option' else '' end, ', ' order by x.privilege_type)
from defaults d cross join main left join ours n on n.oid = d.defaclnamespace
cross join lateral aclexplode(d.acl) x join names o on o.oid = x.grantee
where x.grantee <> main.owner and x.privilege_type <> 'MAINTAIN'
group by d.what, n.nspname, o.name

order by 1, 2
