-- 100,000 stories, 10,000 storytellers, 1,000,000 views at scale 1; every text is made of numbers. Written as the loader,
-- so that the visibility refresh can be measured on its own.
set local migration.writer = 'on';
select setseed(0.5);
insert into auth.users (id) select md5('user' || n)::uuid from generate_series(1, 200) n;
insert into public.profiles (id, display_name) select md5('user' || n)::uuid, 'Account ' || n from generate_series(1, 200) n;
insert into public.organisations (id, name, kind) select md5('org' || n)::uuid, 'Organisation ' || n, 'other' from generate_series(1, 100) n;
insert into public.projects (id, name, organisation_id)
  select md5('project' || n)::uuid, 'Project ' || n, md5('org' || 1 + n % 100)::uuid from generate_series(1, 50) n;
insert into public.communities (id, name, slug) select md5('community' || n)::uuid, 'Community ' || n, 'community-' || n from generate_series(1, 100) n;
insert into public.community_members (community_id, profile_id, role, approved_at)
  select md5('community' || n)::uuid, md5('user1')::uuid, 'member', now() from generate_series(1, 2) n;
insert into public.organisation_members (organisation_id, profile_id, role) values (md5('org1')::uuid, md5('user1')::uuid, 'admin');
insert into public.storytellers (id, name, privacy, sensitive, show_name, show_photo, show_organisation, organisation_id, project_id, profile_id)
  select md5('teller' || n)::uuid, 'Person ' || n, 'public', false, n % 3 > 0, true, true, md5('org' || 1 + n % 100)::uuid,
    md5('project' || 1 + n % 50)::uuid, case when n = 1 then md5('user1')::uuid end
  from generate_series(1, {storytellers}) n;
insert into public.consents (storyteller_id, purpose, state, evidence_kind, expires_at)
  select md5('teller' || n)::uuid, p, 'given', 'form', case when n % 20 = 0 then now() + interval '1 year' end
  from generate_series(1, {storytellers}) n, unnest(array['public_sharing', 'community_sharing', 'organisation_sharing', 'ai_analysis']) p;
insert into public.cultural_protocols (community_id, name, enforcement, privacy)
  select md5('community' || n)::uuid, 'Protocol', 'strict', 'community' from generate_series(96, 100) n;
insert into public.stories (id, title, copy, status, privacy, published_at, created_at, community_id, organisation_id)
  select md5('story' || n)::uuid, 'Story ' || n,
    'river w' || n % 5000 || ' ' || repeat('word' || n % 977 || ' ', 40) || case when n % 10 > 0 then 'common' else '' end
      || case when n % ({stories} / 20) = 0 then ' rareword' else '' end,
    case when n % 40 = 0 then 'draft' else 'published' end,
    case when n % 25 = 1 then 'community' when n % 25 = 2 then 'organisation' else 'public' end,
    case when n % 40 = 0 then null else now() - n * interval '1 minute' end, now() - n * interval '1 minute',
    md5('community' || 1 + n % 100)::uuid, md5('org' || 1 + n % 100)::uuid
  from generate_series(1, {stories}) n;
insert into public.authorship (id, story_id, storyteller_id, position)
  select md5('author' || n)::uuid, md5('story' || n)::uuid, md5('teller' || 1 + n % {storytellers})::uuid, 1 from generate_series(1, {stories}) n;
insert into public.authorship (id, story_id, storyteller_id, position)
  select md5('second' || n)::uuid, md5('story' || n)::uuid, md5('teller' || 1 + (n + 7) % {storytellers})::uuid, 2 from generate_series(10, {stories}, 10) n;
insert into public.interviews (id, file_name) select md5('interview' || n)::uuid, 'Interview ' || n from generate_series(1, {storytellers}) n;
insert into public.interview_storytellers (id, interview_id, storyteller_id, position)
  select md5('speaker' || n)::uuid, md5('interview' || n)::uuid, md5('teller' || n)::uuid, 1 from generate_series(1, {storytellers}) n;
insert into public.story_interviews (id, story_id, interview_id, position)
  select md5('si' || n)::uuid, md5('story' || n)::uuid, md5('interview' || 1 + n % {storytellers})::uuid, 1 from generate_series(1, {stories}) n;
insert into public.themes (id, name) select md5('theme' || n)::uuid, 'Theme ' || n from generate_series(1, 1000) n;
insert into public.interview_themes (id, interview_id, theme_id, position)
  select md5('it' || n || '-' || k)::uuid, md5('interview' || n)::uuid, md5('theme' || 1 + (n * 7 + k * 131) % 1000)::uuid, k
  from generate_series(1, {storytellers}) n, generate_series(1, 3) k;
insert into public.story_views (story_id, viewer_id, at)
  select md5('story' || 1 + (random() * ({stories} - 1))::int)::uuid, md5('user' || 1 + n % 200)::uuid, now() - n * interval '1 second'
  from generate_series(1, {views}) n;
insert into public.story_reactions (story_id, profile_id, kind)
  select md5('story' || n)::uuid, md5('user' || 1 + n % 200)::uuid, 'heart' from generate_series(1, {stories}, 3) n;
insert into public.story_comments (story_id, profile_id, body)
  select md5('story' || n)::uuid, md5('user' || 1 + n % 200)::uuid, 'Comment ' || n from generate_series(1, {stories}, 5) n;
insert into public.value_events (id, kind, story_id, community_id, organisation_id, amount)
  select md5('value' || n)::uuid, 'donation', md5('story' || n)::uuid, md5('community' || 1 + n % 100)::uuid, md5('org' || 1 + n % 100)::uuid, 100
  from generate_series(1, {stories}, 10) n;
insert into public.value_distributions (event_id, recipient, storyteller_id, amount)
  select md5('value' || n)::uuid, 'storyteller', md5('teller' || 1 + n % {storytellers})::uuid, 100 from generate_series(1, {stories}, 10) n
