-- Every table that holds rows of its own (ordinary ones and leaves of partitioned ones), not those that an extension made,
-- with its columns by name, without the generated ones: those follow from the others.
select n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname),
  coalesce(array_agg(a.attname::text order by a.attname collate "C") filter (where a.attname is not null), '{}')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
where c.relkind = 'r' and n.nspname = any (%(schemas)s)
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
group by n.nspname, c.relname
order by 3
