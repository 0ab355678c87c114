-- Stories that are open now: how many, which of them the rule says otherwise of, and which of them lack their people's
-- consent. The last is asked in the plainest words and not by the rule's own view.
with opened as (
  select s.id, s.eff_limits, coalesce(s.airtable_record_id, s.id::text) as name
  from public.stories s where s.eff_until > now() and s.eff_limits < 4
), people as (
  select a.story_id, a.storyteller_id from public.authorship a
  union select i.story_id, p.storyteller_id
  from public.story_interviews i join public.interview_storytellers p using (interview_id)
), needed as (
  select o.id, o.name, p.storyteller_id, n.purpose
  from opened o
  left join people p on p.story_id = o.id
  cross join (values (0, 'public_sharing'), (1, 'community_sharing'), (2, 'organisation_sharing')) n (bit, purpose)
  where (n.bit = 0 and o.eff_limits = 0) or o.eff_limits & n.bit > 0
), unfounded as (
  select distinct n.id, n.name from needed n
  where not exists (
      select from public.consents c
      where c.storyteller_id = n.storyteller_id and c.purpose = n.purpose and c.state = 'given'
        and c.source_deleted_at is null and (c.story_id is null or c.story_id = n.id)
        and (c.expires_at is null or c.expires_at > now())
    )
    or exists (
      select from public.consents c
      where c.storyteller_id = n.storyteller_id and c.purpose = n.purpose and c.state = 'withdrawn'
        and (c.story_id is null or c.story_id = n.id)
    )
), judged as (
  -- As private.refresh_all: what is neither published nor open is closed by the rule and by its columns. Asking the rule of
  -- every draft too took 35 of a load's 101 s at 500,000 records.
  select array(
    select s.id from public.stories s
    where s.status = 'published' or s.eff_limits < 4 or s.eff_until > '-infinity' or s.eff_ai_until > '-infinity'
  ) as ids
), stale as (
  select s.id, coalesce(s.airtable_record_id, s.id::text) as name
  from public.stories s join private.story_rule r on r.id = s.id
  where s.id = any ((select ids from judged)::uuid[]) and r.id = any ((select ids from judged)::uuid[])
    and (s.eff_limits, s.eff_until, s.eff_ai_until) is distinct from (r.limits, r.until, r.ai_until)
)
select
  (select count(*) from opened),
  (select count(*) from stale), array(select name from stale order by name limit %(sample)s),
  (select count(*) from unfounded), array(select name from unfounded order by name limit %(sample)s)
