-- Policies and triggers that stand on a column: table, table, the column's name as SQL writes it.
select distinct case when p.oid is null then 'trigger' else 'policy' end, quote_ident(coalesce(p.polname, t.tgname)),
  coalesce(p.polrelid, t.tgrelid)::regclass::text
from pg_depend d
left join pg_policy p on d.classid = 'pg_policy'::regclass and p.oid = d.objid
left join pg_trigger t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid and not t.tgisinternal
where d.refclassid = 'pg_class'::regclass and d.refobjid = %s::regclass
  and d.refobjsubid = (select attnum from pg_attribute where attrelid = %s::regclass and quote_ident(attname) = %s)
  and (p.oid is not null or t.oid is not null)
