-- Staged keys against the table as it is now. Only what is wrong comes back.
select verdict, count(*), (array_agg(ref order by ref))[1:%(sample)s]
from (
  select coalesce(d.airtable_record_id, d.id::text, s.id::text) as ref,
    case when d.id is null then 'missing' when s.id is null then 'extra' else 'differs' end as verdict
  from {keys} s
  full join (select * from public.{table} where source_deleted_at is null) d on d.id = s.id
  where d.id is null
    or s.id is null and {in_scope}
    or s.id is not null and d.source_hash is distinct from s.source_hash and not d.locally_changed
) judged
group by verdict
