-- What the public should see: published stories, those that the kept circle opens to everybody, twenty of them by id.
select count(*), count(*) filter (where open), (array_agg(id::text order by id) filter (where open))[1:20]
from (
  select s.id, s.eff_limits = 0 and s.eff_until > now() as open from public.stories s where s.published_at is not null
) f
