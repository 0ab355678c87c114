-- The rules of Supabase's database linter, written anew after their documentation (supabase.com/docs, "Database
-- linter"; numbers and levels are theirs). Not splinter.sql itself: what is told must be what theirs would tell or more.
--
-- One row per finding: rule, level, object, detail. Rules of exposed schemas read pgrst.db_schemas, and find nothing
-- where it is not set. Left out: rules of the platform's settings (0012), of extensions we have none of (0019, 0022,
-- 0026, 0027), of storage buckets (0025) and of wear (0020).
with platform as (
  select array[
    'auth', 'cron', 'extensions', 'graphql', 'graphql_public', 'information_schema', 'net', 'pg_catalog', 'pg_toast',
    'pgbouncer', 'pgmq', 'pgsodium', 'pgsodium_masks', 'pgtle', 'realtime', 'repack', 'storage', 'supabase_functions',
    'supabase_migrations', 'vault'
  ]::name[] as names
),
spaces as (
  select n.oid, n.nspname,
    n.nspname::text = any (regexp_split_to_array(btrim(coalesce(current_setting('pgrst.db_schemas', true), '')), '\s*,\s*')) as exposed
  from pg_catalog.pg_namespace n, platform
  where n.nspname <> all (platform.names) and n.nspname !~ '^pg_(temp|toast_temp)_'
),
relations as (
  select c.*, s.exposed, format('%I.%I', s.nspname, c.relname) as name,
    array(select x.role from unnest(array['anon', 'authenticated']) x (role) where has_any_column_privilege(x.role, c.oid, 'SELECT')) as readers
  from pg_catalog.pg_class c join spaces s on s.oid = c.relnamespace
  where not exists (
    select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  )
),
policies as (
  select p.polname, p.polcmd, p.polpermissive, p.polroles, r.oid, r.name, r.relrowsecurity, r.exposed,
    coalesce(pg_get_expr(p.polqual, p.polrelid), '') as qual, coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') as checked,
    p.polqual is null as no_qual, p.polwithcheck is null as no_check
  from pg_catalog.pg_policy p join relations r on r.oid = p.polrelid
),
routines as (
  select p.*, s.exposed, p.oid::regprocedure::text as name
  from pg_catalog.pg_proc p join spaces s on s.oid = p.pronamespace
  where not exists (
    select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
  )
)
select '0001_unindexed_foreign_keys' as rule, 'INFO' as level, r.name as object, k.conname::text as detail
from pg_catalog.pg_constraint k join relations r on r.oid = k.conrelid
where k.contype = 'f' and not exists (
  select from pg_catalog.pg_index i
  where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null
    and (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(k.conkey)] @> k.conkey
)
union all
select '0002_auth_users_exposed', 'ERROR', v.name, array_to_string(v.readers, ', ')
from relations v
where v.exposed and v.relkind in ('v', 'm') and v.readers <> '{}' and exists (
  select from pg_catalog.pg_rewrite w join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid
  where w.ev_class = v.oid and d.refobjid = to_regclass('auth.users')
)
union all
-- A call stands alone where no "( SELECT auth.uid() AS uid)" is round it.
select '0003_auth_rls_initplan', 'WARN', p.name, p.polname::text
from policies p
where p.relrowsecurity
  and regexp_replace(p.qual || ' ' || p.checked, '\( *SELECT (auth\.(uid|jwt|role|email)\(\)|current_setting\([^()]*\))', '', 'gi')
    ~* '(\mauth\.(uid|jwt|role|email)\(\)|\mcurrent_setting\()'
union all
select '0004_no_primary_key', 'INFO', r.name, ''
from relations r
where r.relkind = 'r' and not exists (select from pg_catalog.pg_index i where i.indrelid = r.oid and i.indisprimary)
union all
select '0005_unused_index', 'INFO', r.name, u.indexrelname::text
from pg_catalog.pg_stat_user_indexes u join relations r on r.oid = u.relid
join pg_catalog.pg_index i on i.indexrelid = u.indexrelid
where u.idx_scan = 0 and not i.indisunique
union all
select '0006_multiple_permissive_policies', 'WARN', p.name, format('%s for %s', a.action, o.rolname)
from policies p
cross join lateral unnest(case p.polcmd when '*' then array['r', 'a', 'w', 'd'] else array[p.polcmd::text] end) a (action)
join pg_catalog.pg_roles o on o.oid = any (p.polroles) or p.polroles = array[0::oid]
where p.polpermissive and not o.rolbypassrls and o.rolname !~ '^(pg_|supabase_)'
group by p.name, a.action, o.rolname having count(*) > 1
union all
select '0007_policy_exists_rls_disabled', 'ERROR', p.name, p.polname::text from policies p where not p.relrowsecurity
union all
select '0008_rls_enabled_no_policy', 'INFO', r.name, ''
from relations r
where r.relkind in ('r', 'p') and r.relrowsecurity and not exists (select from policies p where p.oid = r.oid)
union all
select '0009_duplicate_index', 'WARN', r.name, string_agg(c.relname::text, ', ' order by c.relname)
from pg_catalog.pg_index i join relations r on r.oid = i.indrelid join pg_catalog.pg_class c on c.oid = i.indexrelid
group by r.name, regexp_replace(replace(pg_get_indexdef(i.indexrelid), ' UNIQUE', ''), ' INDEX .* ON ', ' INDEX ON ')
having count(*) > 1
union all
select '0010_security_definer_view', 'ERROR', v.name, array_to_string(v.readers, ', ')
from relations v
where v.exposed and v.relkind = 'v' and not coalesce(v.reloptions::text ~* 'security_invoker=(1|true|on|yes)', false)
union all
select '0011_function_search_path_mutable', 'WARN', f.name, ''
from routines f
where f.prokind <> 'a' and not exists (select from unnest(f.proconfig) x where x like 'search\_path=%')
union all
select '0013_rls_disabled_in_public', 'ERROR', r.name, ''
from relations r where r.exposed and r.relkind in ('r', 'p') and not r.relrowsecurity
union all
select '0014_extension_in_public', 'WARN', x.extname::text, ''
from pg_catalog.pg_extension x where x.extnamespace = 'public'::regnamespace
union all
select '0015_rls_references_user_metadata', 'ERROR', p.name, p.polname::text
from policies p where p.qual || p.checked ~ '(raw_)?user_meta_?data'
union all
select '0016_materialized_view_in_api', 'WARN', r.name, array_to_string(r.readers, ', ')
from relations r where r.exposed and r.relkind = 'm' and r.readers <> '{}'
union all
select '0017_foreign_table_in_api', 'WARN', r.name, array_to_string(r.readers, ', ')
from relations r where r.exposed and r.relkind = 'f' and r.readers <> '{}'
union all
-- regclass, regrole and regtype survive an upgrade.
select '0018_unsupported_reg_types', 'WARN', r.name, a.attname::text
from relations r join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
where r.relkind in ('r', 'p') and a.atttypid = any (array[
  'regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator', 'regproc', 'regprocedure'
]::regtype[]::oid[])
union all
select '0021_fkey_to_auth_unique', 'ERROR', r.name, k.conname::text
from pg_catalog.pg_constraint k join relations r on r.oid = k.conrelid
join pg_catalog.pg_class there on there.oid = k.confrelid and there.relnamespace = to_regnamespace('auth')
where k.contype = 'f' and not exists (
  select from pg_catalog.pg_index i where i.indexrelid = k.conindid and i.indisprimary
)
union all
select '0023_sensitive_columns_exposed', 'ERROR', r.name, a.attname::text
from relations r join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
where r.exposed and r.relkind in ('r', 'p') and not r.relrowsecurity and r.readers <> '{}'
  and a.attname ~* '(passw|pwd|secret|api_?key|token|jwt|auth_code|otp|ssn|passport|tax_id|card_number|cvv|iban|account_number|email|phone)'
union all
-- A select of everything is a decision; a write without a condition never is.
select '0024_rls_policy_always_true', 'WARN', p.name, p.polname::text
from policies p
where p.relrowsecurity and p.polpermissive and p.polcmd <> 'r'
  and (p.polroles = array[0::oid] or p.polroles && array['anon'::regrole::oid, 'authenticated'::regrole::oid])
  and (
    (not p.no_qual and btrim(p.qual, ' ()') ~* '^(true|1 *= *1|''([^'']*)''::text *= *''\2''::text)$')
    or (not p.no_check and btrim(p.checked, ' ()') ~* '^(true|1 *= *1|''([^'']*)''::text *= *''\2''::text)$')
    or (p.no_qual and p.polcmd in ('w', 'd', '*')) or (p.no_check and p.polcmd = 'a')
  )
union all
select '0028_anon_security_definer_function_executable', 'WARN', f.name, ''
from routines f where f.exposed and f.prosecdef and has_function_privilege('anon', f.oid, 'EXECUTE')
union all
select '0029_authenticated_security_definer_function_executable', 'WARN', f.name, ''
from routines f where f.exposed and f.prosecdef and has_function_privilege('authenticated', f.oid, 'EXECUTE')
union all
select '0030_invalid_index', 'WARN', r.name, i.indexrelid::regclass::text
from pg_catalog.pg_index i join relations r on r.oid = i.indrelid where not i.indisvalid
union all
select '0030_rls_policy_null_auth_disjunct', 'WARN', p.name, p.polname::text
from policies p
where p.polcmd in ('r', '*')
  and p.qual ~* '(auth\.(uid|jwt|role)\(\)|current_setting\([^()]*true\))[^()]*\)* IS NULL\)* OR |OR \(*[^()]*(auth\.(uid|jwt|role)\(\)|current_setting\([^()]*true\))[^()]*\)* IS NULL'
order by 1, 3, 4
