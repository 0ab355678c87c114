-- Of whom and what the queries ask: real rows, chosen by id so that every test of one database asks the same.
select
  (select p.id::text from public.profiles p order by
    exists (select from public.storytellers t where t.profile_id = p.id) desc,
    exists (select from public.community_members m where m.profile_id = p.id and m.approved_at is not null) desc, p.id limit 1),
  (select s.community_id::text from public.stories s where s.published_at is not null and s.community_id is not null
    group by s.community_id order by count(*) desc, s.community_id limit 1),
  (select s.organisation_id::text from public.stories s where s.published_at is not null and s.organisation_id is not null
    group by s.organisation_id order by count(*) desc, s.organisation_id limit 1),
  (select t.theme_id::text from public.interview_themes t join public.story_interviews i on i.interview_id = t.interview_id
    join public.stories s on s.id = i.story_id and s.published_at is not null
    group by t.theme_id order by count(*) desc, t.theme_id limit 1),
  (select array_agg(f.id::text) from (
    select s.id from public.stories s where s.published_at is not null order by s.published_at desc, s.id limit 50) f),
  (select count(*) from public.stories s where s.published_at is not null),
  (select count(*) from public.stories)
