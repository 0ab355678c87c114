-- Sessions of this database that wait for another's lock: who waits, for whom, on what, since when.
select a.pid, pg_blocking_pids(a.pid) as by, l.relation::regclass::text as relation, l.locktype, l.waitstart
from pg_stat_activity a
join pg_locks l on l.pid = a.pid and not l.granted
where a.datname = current_database() and cardinality(pg_blocking_pids(a.pid)) > 0
order by l.waitstart, a.pid
