-- The app's slowest statements since the statistics were reset. Only the roles of the API: a load may take minutes.
select s.queryid, s.calls, s.mean_exec_time, s.query
from {view} s
where s.dbid = (select oid from pg_database where datname = current_database())
  and s.userid in (select oid from pg_roles where rolname in ('anon', 'authenticated', 'service_role', 'authenticator'))
  and s.calls >= %(calls)s and s.mean_exec_time >= %(mean)s
order by s.mean_exec_time desc limit 20
