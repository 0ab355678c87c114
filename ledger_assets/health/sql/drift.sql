-- Stories whose kept columns are not what the rule says; of those that are neither published nor open the rule need not be
-- asked (as private.refresh_all): asking it of every draft too takes half a minute at 100,000 stories.
with judged as (
  select array(
    select s.id from public.stories s
    where s.status = 'published' or s.eff_limits < 4 or s.eff_until > '-infinity' or s.eff_ai_until > '-infinity'
  ) as ids
)
select cardinality(j.ids), count(r.id), (array_agg(r.id::text order by r.id))[1:20]
from judged j
left join lateral (
  select s.id from public.stories s join private.story_rule r on r.id = s.id
  where s.id = any (j.ids) and r.id = any (j.ids)
    and (s.eff_limits, s.eff_until, s.eff_ai_until) is distinct from (r.limits, r.until, r.ai_until)
) r on true
group by j.ids
