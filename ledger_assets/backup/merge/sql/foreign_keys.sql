-- Foreign keys from or to tables of these schemas.
select k.conname, cn.nspname || '.' || c.relname, pn.nspname || '.' || p.relname,
  (select array_agg(a.attname::text order by o.n) from unnest(k.conkey) with ordinality o (num, n)
   join pg_attribute a on a.attrelid = k.conrelid and a.attnum = o.num),
  (select array_agg(a.attname::text order by o.n) from unnest(k.confkey) with ordinality o (num, n)
   join pg_attribute a on a.attrelid = k.confrelid and a.attnum = o.num),
  k.confdeltype::text, k.condeferrable
from pg_constraint k
join pg_class c on c.oid = k.conrelid join pg_namespace cn on cn.oid = c.relnamespace
join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
where k.contype = 'f' and c.relkind = 'r' and p.relkind = 'r'
  and (cn.nspname = any (%(schemas)s) or pn.nspname = any (%(schemas)s))
order by 2, 1
