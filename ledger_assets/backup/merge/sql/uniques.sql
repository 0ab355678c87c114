-- Unique indexes beside the primary key, each as expressions over its table's columns and a predicate.
select i.indexrelid::regclass::text, n.nspname || '.' || c.relname,
  (select array_agg(pg_get_indexdef(i.indexrelid, x.n, true) order by x.n) from generate_series(1, i.indnkeyatts) x (n)),
  pg_get_expr(i.indpred, i.indrelid), i.indnullsnotdistinct
from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
where i.indisunique and not i.indisprimary and i.indisvalid and c.relkind = 'r' and n.nspname = any (%(schemas)s)
order by 2, 1
