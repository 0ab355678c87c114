-- Links of every field against the field on its other side, both from the raw records.
with pairs as (
  select * from unnest(%(fields)s::text[], %(inverses)s::text[]) p (field_id, inverse_id)
), here as (
  select l.field_id, l.record_id, l.target_id from proof_links l join pairs p on p.field_id = l.field_id
), there as (
  select p.field_id, l.target_id as record_id, l.record_id as target_id
  from proof_links l join pairs p on p.inverse_id = l.field_id
), compared as (
  select coalesce(h.field_id, t.field_id) as field_id, coalesce(h.record_id, t.record_id) as record_id,
         case when h.record_id is null then 'extra' when t.record_id is null then 'missing' else 'same' end as verdict
  from here h
  full join there t on t.field_id = h.field_id and t.record_id = h.record_id and t.target_id = h.target_id
)
select field_id, verdict, count(*),
       array(select distinct i from unnest(array_agg(record_id) filter (where verdict <> 'same')) i order by i limit 20)
from compared
group by field_id, verdict
