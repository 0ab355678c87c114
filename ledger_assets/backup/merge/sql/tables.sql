-- Ordinary tables and leaves of partitioned ones: columns without generated ones, primary key, types.
select n.nspname, c.relname,
  array_agg(a.attname::text order by a.attnum) filter (where a.attgenerated = ''),
  array_agg(format_type(a.atttypid, a.atttypmod) order by a.attnum) filter (where a.attgenerated = ''),
  coalesce((
    select array_agg(k.attname::text order by array_position(i.indkey::int2[], k.attnum))
    from pg_index i join pg_attribute k on k.attrelid = c.oid and k.attnum = any (i.indkey::int2[])
    where i.indrelid = c.oid and i.indisprimary
  ), '{}'),
  coalesce(array_agg(a.attname::text order by a.attnum) filter (where a.attidentity = 'a'), '{}')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind = 'r' and n.nspname = any (%(schemas)s)
group by n.nspname, c.relname, c.oid
order by n.nspname, c.relname
