-- Quotes that name a storyteller though, by the raw links, nobody or somebody else is possible: each interview of the
-- quote must name somebody, and all of them together the one.
with possible as (
  select q.record_id, count(distinct s.target_id) = 1 and bool_and(s.target_id is not null) as certain,
         min(s.target_id) as storyteller
  from proof_links q
  left join proof_links s on s.field_id = %(speakers)s and s.record_id = q.target_id
  where q.field_id = %(interviews)s
  group by q.record_id
), judged as (
  select t.airtable_record_id, t.locally_changed,
         not t.locally_changed and t.storyteller_id is not null
         and (p.certain and p.storyteller = o.airtable_record_id) is not true as broken
  from public.quotes t
  left join public.storytellers o on o.id = t.storyteller_id
  left join possible p on p.record_id = t.airtable_record_id
  where t.airtable_base_id = %(base)s and t.source_deleted_at is null
)
select count(*), count(*) filter (where locally_changed), count(*) filter (where broken),
       array(select i from unnest(array_agg(airtable_record_id) filter (where broken)) i order by i limit 20)
from judged
