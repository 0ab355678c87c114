-- Foreign keys of tables of these schemas, each once (not again for every partition), with what they refer to.
select format('%%I', k.conname), format('%%I.%%I', n.nspname, c.relname), format('%%I.%%I', tn.nspname, t.relname), quote_ident(tn.nspname),
  tn.nspname <> all (%(schemas)s),
  array(select quote_ident(a.attname) from unnest(k.conkey) with ordinality x (num, i)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = x.num order by x.i),
  array(select quote_ident(a.attname) from unnest(k.confkey) with ordinality x (num, i)
        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = x.num order by x.i),
  array(select format_type(a.atttypid, a.atttypmod) from unnest(k.confkey) with ordinality x (num, i)
        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = x.num order by x.i)
from pg_constraint k
join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
join pg_class t on t.oid = k.confrelid join pg_namespace tn on tn.oid = t.relnamespace
where k.contype = 'f' and k.conparentid = 0 and n.nspname = any (%(schemas)s)
order by 2, 1
