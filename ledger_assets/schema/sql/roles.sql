-- What the API's roles may do by themselves, whatever stands in the migrations: kind, name, NULL, definition.
select 'role' as kind, r.rolname::text as name, null as parent,
  concat_ws(', ',
    case when r.rolcanlogin then 'login' else 'no login' end,
    case when r.rolbypassrls then 'bypasses row-level security' else 'under row-level security' end,
    case when r.rolsuper then 'SUPERUSER' end,
    case when r.rolcreaterole then 'creates roles' end,
    case when r.rolcreatedb then 'creates databases' end,
    case when r.rolreplication then 'replication' end
  ) as definition
from pg_roles r where r.rolname = any (%(roles)s)

union all
select 'membership', format('%%I in %%I', member.rolname, grantor.rolname), 'role ' || member.rolname, 'member'
from pg_auth_members m join pg_roles member on member.oid = m.member join pg_roles grantor on grantor.oid = m.roleid
where member.rolname = any (%(roles)s)

union all
-- A setting's value may be a secret (Supabase keeps its JWT secret in one): only those of Postgres itself are told.
select 'role setting',
  concat_ws(' ', s.name, 'of', coalesce('role ' || r.rolname, 'every role'), case when d.setdatabase <> 0 then 'in this database' end),
  null,
  case when s.name !~ '\.' or s.name = 'pgrst.db_schemas' then s.value else 'set' end
from pg_db_role_setting d
left join pg_roles r on r.oid = d.setrole
cross join lateral (
  select split_part(x, '=', 1) as name, substr(x, position('=' in x) + 1) as value from unnest(d.setconfig) x
) s
where d.setdatabase in (0, (select oid from pg_database where datname = current_database()))
  and (d.setrole = 0 or r.rolname = any (%(roles)s) or s.name in ('session_replication_role', 'row_security') or s.name ~ '^migration\.')
  and s.name <> all (%(harmless)s) and s.name !~ %(harmless_prefix)s
  -- The schemas of the API: any but those that it must never reach.
  and (s.name <> 'pgrst.db_schemas' or string_to_array(replace(s.value, ' ', ''), ',') && %(closed)s)

union all
select 'grant', format('database to %%s', coalesce(r.rolname, 'PUBLIC')), null, 'create'
from pg_database b cross join lateral aclexplode(coalesce(b.datacl, acldefault('d', b.datdba))) x
left join pg_roles r on r.oid = x.grantee
where b.datname = current_database() and x.privilege_type = 'CREATE' and (x.grantee = 0 or r.rolname = any (%(roles)s))
order by 1, 2
