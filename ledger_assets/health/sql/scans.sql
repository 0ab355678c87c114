-- Large tables of ours that are read from end to end often, and more often than by an index.
select format('%%I.%%I', schemaname, relname), n_live_tup, seq_scan, coalesce(idx_scan, 0)
from pg_stat_user_tables
where schemaname = any (%(schemas)s) and n_live_tup >= %(rows)s
  and seq_scan >= %(scans)s and seq_scan > coalesce(idx_scan, 0)
order by n_live_tup desc, 1
