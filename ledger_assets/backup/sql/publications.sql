-- Which publications (Realtime's, for one) hold tables of these schemas: a dump of schemas leaves them out.
select p.pubname, array_agg(format('%%I.%%I', p.schemaname, p.tablename) order by p.schemaname, p.tablename)
from pg_publication_tables p where p.schemaname = any (%(schemas)s)
group by p.pubname order by 1
