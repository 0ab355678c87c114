-- Quotes against the storyteller that the raw links make certain: each interview of the quote names somebody, and all of
-- them together the one. Named without that: a guess. Not named though that one has rows and links here: a loss.
with possible as (
  select q.record_id, count(distinct s.target_id) = 1 and bool_and(s.target_id is not null) as certain,
         min(s.target_id) as storyteller,
         bool_and(k.id is not null) as linked
  from proof_links q
  left join proof_links s on s.field_id = %(speakers)s and s.record_id = q.target_id
  left join public.storytellers o on o.airtable_base_id = %(base)s and o.airtable_record_id = s.target_id
    and o.source_deleted_at is null
  left join public.interview_storytellers k on k.airtable_base_id = %(base)s and k.airtable_record_id = q.target_id
    and k.storyteller_id = o.id and k.source_deleted_at is null
  where q.field_id = %(interviews)s
  group by q.record_id
), judged as (
  select t.airtable_record_id, t.locally_changed,
         not t.locally_changed and case
           when t.storyteller_id is null then p.certain and p.linked
           else (p.certain and p.storyteller = o.airtable_record_id) is not true
         end as broken
  from public.quotes t
  left join public.storytellers o on o.id = t.storyteller_id
  left join possible p on p.record_id = t.airtable_record_id
  where t.airtable_base_id = %(base)s and t.source_deleted_at is null
)
select count(*), count(*) filter (where locally_changed), count(*) filter (where broken),
       array(select i from unnest(array_agg(airtable_record_id) filter (where broken)) i order by i limit 20)
from judged
