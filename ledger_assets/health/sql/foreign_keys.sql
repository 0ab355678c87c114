-- Foreign keys of ours that no index begins with: each delete or update of the row referred to reads the whole table.
-- A partial index counts only where it leaves out nothing but nulls.
select c.conrelid::regclass::text as relation, c.conname, greatest(t.reltuples, s.n_live_tup, 0)::bigint as rows,
  (select array_agg(a.attname order by k.place) from unnest(c.conkey) with ordinality k (number, place)
   join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number) as columns
from pg_constraint c
join pg_class t on t.oid = c.conrelid
join pg_namespace n on n.oid = t.relnamespace
left join pg_stat_user_tables s on s.relid = t.oid
where c.contype = 'f' and n.nspname = any (%(schemas)s) and not exists (
  select from pg_index i
  where i.indrelid = c.conrelid and i.indisvalid
    and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ~ '^\(\w+ IS NOT NULL\)$')
    -- The first columns of the index are the key's, in any order.
    and (select array_agg(k order by k) from unnest((i.indkey::int2[])[0:cardinality(c.conkey) - 1]) k)
      = (select array_agg(k order by k) from unnest(c.conkey) k)
)
order by rows desc, 1, 2
