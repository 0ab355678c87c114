-- Links of one field against the field on the other side, both from the raw records.
with here as (
  select record_id, target_id from proof_links where table_id = %(table)s and field_id = %(field)s
), there as (
  select target_id as record_id, record_id as target_id
  from proof_links where table_id = %(other_table)s and field_id = %(other_field)s
), compared as (
  select case when h.record_id is null then 'extra' when t.record_id is null then 'missing' else 'same' end as verdict,
         coalesce(h.record_id, t.record_id) as record_id
  from here h full join there t on t.record_id = h.record_id and t.target_id = h.target_id
)
select verdict, count(*), (array_agg(distinct record_id) filter (where verdict <> 'same'))[1:20]
from compared group by verdict
