-- The foreign keys of public, each with one column.
select c.conrelid::regclass::text, a.attname::text, c.confrelid::regclass::text
from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
where c.contype = 'f' and c.connamespace = 'public'::regnamespace and cardinality(c.conkey) = 1
order by 1, 2
