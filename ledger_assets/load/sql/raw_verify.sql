select verdict, count(*), (array_agg(ref order by ref))[1:%(sample)s]
from (
  select coalesce(s.record_id, d.record_id) as ref,
    case when d.record_id is null then 'missing' when s.record_id is null then 'extra' else 'differs' end as verdict
  from {keys} s
  full join (
    select * from airtable.{table} d
    where d.base_id = %(base)s and d.source_deleted_at is null and d.table_id <> all (%(same)s::text[]) and {in_scope}
  ) d on d.table_id = s.table_id and {same_key}
  where d.record_id is null or s.record_id is null or d.{hash} is distinct from s.hash
) judged
group by verdict
