-- Whom each story of a person is open to right now, the stories locked in the order of every refresh. Limits NULL: nobody.
select
  coalesce(s.airtable_record_id, s.id::text),
  s.status,
  s.privacy,
  case when o.is_open then s.eff_limits end,
  o.is_open and s.eff_ai_until > now()
from public.stories s
cross join lateral (select s.published_at is not null and s.eff_until > now() and s.eff_limits < 4 as is_open) o
where s.id in (select p.story_id from private.story_people p where p.storyteller_id = %(person)s)
order by s.id
