select quote_ident(a.attname) from pg_index i cross join unnest(i.indkey) with ordinality k (attnum, n)
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where i.indrelid = %s::regclass and i.indisprimary order by k.n
