-- Who may do what: membership functions, row-level security policies, and every grant to the API's roles.
--
-- What belongs here: the answer to "who is asking". What does not: the consent rule (09), the app's queries (11).
--
-- Invariants: one policy per table, role and action; a policy reads the kept columns of stories and asks each membership
-- function once per statement ((select ...)); membership functions are definers, because a policy that read a table with
-- policies of its own would never end; nothing is granted that is not granted here or in 11; no API role, not even the
-- service role, may write the kept columns. Re-runnable.
grant usage on schema private to anon, authenticated, service_role;

create or replace function private.my_communities() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(m.community_id), '{}') from public.community_members m
  where m.profile_id = auth.uid() and m.approved_at is not null and m.role in ('elder', 'steward', 'member')
$$;
create or replace function private.my_elderships() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(m.community_id), '{}') from public.community_members m
  where m.profile_id = auth.uid() and m.approved_at is not null and m.role in ('elder', 'steward')
$$;
create or replace function private.my_organisations() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(m.organisation_id), '{}') from public.organisation_members m where m.profile_id = auth.uid()
$$;
create or replace function private.my_administered_organisations() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(m.organisation_id), '{}') from public.organisation_members m
  where m.profile_id = auth.uid() and m.role in ('owner', 'admin')
$$;
create or replace function private.my_projects() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(m.project_id), '{}') from public.project_members m where m.profile_id = auth.uid()
$$;
create or replace function private.my_edited_projects() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(m.project_id), '{}') from public.project_members m
  where m.profile_id = auth.uid() and m.role in ('owner', 'admin', 'editor')
$$;
create or replace function private.my_storytellers() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(t.id), '{}') from public.storytellers t where t.profile_id = auth.uid()
$$;
create or replace function private.my_stories() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(distinct a.story_id), '{}')
  from public.authorship a join public.storytellers t on t.id = a.storyteller_id
  where t.profile_id = auth.uid()
$$;
create or replace function private.my_interviews() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(distinct p.interview_id), '{}')
  from public.interview_storytellers p join public.storytellers t on t.id = p.storyteller_id
  where t.profile_id = auth.uid()
$$;
-- As author or as a speaker in an interview that the story is made from.
create or replace function private.my_voices() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(distinct p.story_id), '{}')
  from private.story_people p join public.storytellers t on t.id = p.storyteller_id
  where t.profile_id = auth.uid()
$$;
create or replace function private.my_queue() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(s.id), '{}')
  from public.elder_review_queue r join public.stories s on s.id = r.story_id
  where s.community_id = any ((select private.my_elderships())::uuid[])
$$;
-- To decide, elders must read: the stories in their queue whose every person consents to sharing with the community, and
-- whose dead consented to posthumous use.
create or replace function private.my_reviews() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(s.id), '{}')
  from public.elder_review_queue r join public.stories s on s.id = r.story_id
  where s.community_id = any ((select private.my_elderships())::uuid[])
    and r.state in ('pending', 'in_review', 'needs_consultation')
    and s.sensitivity <> 'sacred' and s.source_deleted_at is null
    and exists (select from private.story_people p where p.story_id = s.id)
    and not exists (
      select from private.story_consent c join public.storytellers t on t.id = c.storyteller_id
      where c.story_id = s.id and c.until <= now()
        and (c.purpose = 'community_sharing' or (c.purpose = 'posthumous' and t.deceased))
    )
$$;
-- An insight is for those who may see every story that it was made from, and falls with the first whose people no longer
-- consent to analysis: is_public alone would show the public what was told to a community.
create or replace function private.standing_insights() returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(i.id), '{}') from public.community_insights i
  where 3 <= (select count(*) from public.community_insight_stories c where c.insight_id = i.id)
    and not exists (
      select from public.community_insight_stories c join public.stories s on s.id = c.story_id
      where c.insight_id = i.id and (
        s.eff_ai_until <= now() or s.eff_until <= now() or s.eff_limits >= 4
        or (s.eff_limits in (1, 3) and s.community_id <> all ((select private.my_communities())::uuid[]))
        or (s.eff_limits in (2, 3) and (s.organisation_id = any ((select private.my_organisations())::uuid[])) is not true)
        or s.community_id is distinct from i.community_id
        or not exists (select from public.story_analysis a where a.story_id = s.id and a.validated_at is not null)
      )
    )
$$;
-- Which themes the reader may see: those of the interviews that a story they see is made from, with consent to analysis.
-- Whoever speaks there is one of the story's people, so that the story's consents are everybody's.
create or replace function private.seen_themes() returns setof uuid
  language sql stable security definer set search_path = '' rows 100
as $$
  select distinct t.theme_id
  from public.stories s
  join public.story_interviews i on i.story_id = s.id
  join public.interview_themes t on t.interview_id = i.interview_id
  where s.eff_until > now() and s.eff_ai_until > now() and s.eff_limits < 4
    and (s.eff_limits in (0, 2) or s.community_id = any ((select private.my_communities())::uuid[]))
    and (s.eff_limits in (0, 1) or s.organisation_id = any ((select private.my_organisations())::uuid[]))
$$;
revoke all on all functions in schema private from public, anon, authenticated, service_role;
grant execute on function
  private.my_communities(), private.my_elderships(), private.my_organisations(), private.my_administered_organisations(),
  private.my_projects(), private.my_edited_projects(), private.my_storytellers(), private.my_stories(),
  private.my_interviews(), private.my_voices(), private.my_queue(), private.my_reviews(), private.standing_insights(), private.seen_themes()
to authenticated, service_role;
grant execute on function private.standing_insights(), private.seen_themes() to anon;

-- One policy per table, role and action, whatever was there before.
create or replace function private.policy(target text, who text, action text, condition text, checked text default null)
  returns void language plpgsql security invoker set search_path = ''
as $$
declare
  name text := who || '_' || action;
begin
  execute format('drop policy if exists %I on public.%I', name, target);
  execute format('create policy %I on public.%I for %s to %I', name, target, action, who)
    || case when action <> 'insert' then format(' using (%s)', condition) else '' end
    || case when action = 'insert' then format(' with check (%s)', condition)
            when action = 'update' then format(' with check (%s)', coalesce(checked, condition)) else '' end;
end;
$$;
revoke all on function private.policy(text, text, text, text, text) from public, anon, authenticated, service_role;

do $$
declare
  me constant text := '(select auth.uid())';
  my_communities constant text := 'any ((select private.my_communities())::uuid[])';
  my_elderships constant text := 'any ((select private.my_elderships())::uuid[])';
  my_organisations constant text := 'any ((select private.my_organisations())::uuid[])';
  my_administered constant text := 'any ((select private.my_administered_organisations())::uuid[])';
  my_projects constant text := 'any ((select private.my_projects())::uuid[])';
  my_edited constant text := 'any ((select private.my_edited_projects())::uuid[])';
  my_storytellers constant text := 'any ((select private.my_storytellers())::uuid[])';
  my_stories constant text := 'any ((select private.my_stories())::uuid[])';
  my_interviews constant text := 'any ((select private.my_interviews())::uuid[])';
  my_voices constant text := 'any ((select private.my_voices())::uuid[])';
  my_queue constant text := 'any ((select private.my_queue())::uuid[])';
  my_reviews constant text := 'any ((select private.my_reviews())::uuid[])';
  insights constant text := 'any ((select private.standing_insights())::uuid[])';
  -- Through the reader's own sight of stories: EXISTS, measured quicker for one story than IN.
  of_seen_story constant text := 'exists (select from public.stories s where s.id = story_id)';
  ai_seen constant text := 'exists (select from public.stories s where s.id = story_id and s.eff_ai_until > now())';
  name text;
begin
  -- Names of bodies and places: no person's words. Anybody may read them.
  foreach name in array array['organisations', 'locations', 'communities'] loop
    perform private.policy(name, 'anon', 'select', 'true');
    perform private.policy(name, 'authenticated', 'select', 'true');
  end loop;
  perform private.policy('organisations', 'authenticated', 'update', 'id = ' || my_administered);
  perform private.policy('communities', 'authenticated', 'update', 'id = ' || my_elderships);
  perform private.policy('projects', 'anon', 'select', 'is_public');
  perform private.policy('projects', 'authenticated', 'select',
    'is_public or id = ' || my_projects || ' or organisation_id = ' || my_organisations);
  perform private.policy('projects', 'authenticated', 'update', 'id = ' || my_edited);

  perform private.policy('profiles', 'authenticated', 'select', 'id = ' || me);
  perform private.policy('profiles', 'authenticated', 'insert', 'id = ' || me);
  perform private.policy('profiles', 'authenticated', 'update', 'id = ' || me);

  perform private.policy('community_members', 'authenticated', 'select', 'profile_id = ' || me || ' or community_id = ' || my_communities);
  -- Anybody may ask to join, as guest or member, and nobody approves themselves.
  perform private.policy('community_members', 'authenticated', 'insert',
    'profile_id = ' || me || ' and role in (''guest'', ''member'') and approved_at is null and approved_by is null');
  perform private.policy('community_members', 'authenticated', 'update',
    'community_id = ' || my_elderships || ' and profile_id <> ' || me,
    'community_id = ' || my_elderships || ' and profile_id <> ' || me || ' and (approved_by is null or approved_by = ' || me || ')');
  perform private.policy('community_members', 'authenticated', 'delete', 'profile_id = ' || me || ' or community_id = ' || my_elderships);
  perform private.policy('organisation_members', 'authenticated', 'select', 'profile_id = ' || me || ' or organisation_id = ' || my_organisations);
  perform private.policy('organisation_members', 'authenticated', 'insert',
    'organisation_id = ' || my_administered || ' and role in (''member'', ''viewer'') and (invited_by is null or invited_by = ' || me || ')');
  perform private.policy('organisation_members', 'authenticated', 'delete',
    'profile_id = ' || me || ' or (organisation_id = ' || my_administered || ' and role <> ''owner'')');
  perform private.policy('project_members', 'authenticated', 'select', 'profile_id = ' || me || ' or project_id = ' || my_projects);
  perform private.policy('project_members', 'authenticated', 'delete', 'profile_id = ' || me);

  perform private.policy('cultural_protocols', 'authenticated', 'select', 'community_id = ' || my_communities);
  perform private.policy('cultural_protocols', 'authenticated', 'insert', 'community_id = ' || my_elderships);
  perform private.policy('cultural_protocols', 'authenticated', 'update', 'community_id = ' || my_elderships);
  perform private.policy('cultural_protocols', 'authenticated', 'delete', 'community_id = ' || my_elderships);

  -- A person's own row. Everybody else meets storytellers as cards (11), field by field as the person chose.
  perform private.policy('storytellers', 'authenticated', 'select', 'id = ' || my_storytellers);
  perform private.policy('storytellers', 'authenticated', 'update', 'id = ' || my_storytellers);

  perform private.policy('stories', 'anon', 'select', 'eff_until > now() and eff_limits = 0');
  perform private.policy('stories', 'authenticated', 'select',
    '(eff_until > now() and eff_limits < 4 and (eff_limits in (0, 2) or community_id = ' || my_communities || ')'
    || ' and (eff_limits in (0, 1) or organisation_id = ' || my_organisations || ')) or id = ' || my_stories
    || ' or id = ' || my_reviews
    -- What this very transaction has made: INSERT ... RETURNING, which the API sends, asks before the author is written.
    || ' or (created_by = ' || me || ' and created_at = now())');
  perform private.policy('stories', 'authenticated', 'insert',
    'created_by = ' || me || ' and status = ''draft'' and (select private.my_storytellers())::uuid[] <> ''{}'''
    || ' and (community_id is null or community_id = ' || my_communities || ')'
    || ' and (organisation_id is null or organisation_id = ' || my_organisations || ')');
  perform private.policy('stories', 'authenticated', 'update', 'id = ' || my_stories);
  perform private.policy('authorship', 'anon', 'select', of_seen_story);
  perform private.policy('authorship', 'authenticated', 'select', 'storyteller_id = ' || my_storytellers || ' or ' || of_seen_story);
  perform private.policy('story_versions', 'authenticated', 'select', 'story_id = ' || my_stories);

  -- Transcripts are for those who speak in them.
  perform private.policy('interviews', 'authenticated', 'select', 'id = ' || my_interviews);
  perform private.policy('interview_storytellers', 'authenticated', 'select', 'interview_id = ' || my_interviews);
  perform private.policy('story_interviews', 'authenticated', 'select', 'interview_id = ' || my_interviews);
  perform private.policy('quote_interviews', 'authenticated', 'select', 'interview_id = ' || my_interviews);
  -- A quote stands only beside a story that the reader sees, and only of one of that story's people. What has gone from
  -- the base is shown to nobody but its person.
  perform private.policy('quotes', 'anon', 'select',
    'exists (select from public.stories s join public.authorship a on a.story_id = s.id '
    'where s.id = quotes.story_id and a.storyteller_id = quotes.storyteller_id) and source_deleted_at is null');
  perform private.policy('quotes', 'authenticated', 'select',
    'storyteller_id = ' || my_storytellers || ' or exists (select from public.stories s join public.authorship a on a.story_id = s.id '
    'where s.id = quotes.story_id and a.storyteller_id = quotes.storyteller_id) and source_deleted_at is null');
  -- Themes are what a machine found in a transcript: they need consent to analysis.
  perform private.policy('themes', 'anon', 'select', 'id in (select private.seen_themes())');
  perform private.policy('themes', 'authenticated', 'select', 'id in (select private.seen_themes())');
  perform private.policy('interview_themes', 'authenticated', 'select', 'interview_id = ' || my_interviews);
  perform private.policy('media_assets', 'anon', 'select',
    'role = ''story_image'' and source_deleted_at is null and ' || of_seen_story);
  perform private.policy('media_assets', 'authenticated', 'select',
    '(role = ''story_image'' and source_deleted_at is null and ' || of_seen_story || ') or (role = ''profile_image'' and storyteller_id = ' || my_storytellers || ')');

  perform private.policy('consents', 'authenticated', 'select', 'storyteller_id = ' || my_storytellers);
  perform private.policy('consents', 'authenticated', 'insert',
    'storyteller_id = ' || my_storytellers || ' and evidence_kind = ''app'' and (story_id is null or story_id = ' || my_stories || ')');
  perform private.policy('consents', 'authenticated', 'update',
    -- Whoever recorded it: everybody may withdraw. To give anew what stands on paper needs paper.
    'storyteller_id = ' || my_storytellers || ' and evidence_kind <> ''airtable''',
    'storyteller_id = ' || my_storytellers || ' and (evidence_kind = ''app'' or (evidence_kind <> ''airtable'' and state = ''withdrawn''))');
  perform private.policy('consent_events', 'authenticated', 'select', 'storyteller_id = ' || my_storytellers);

  perform private.policy('elder_review_queue', 'authenticated', 'select', 'story_id = ' || my_stories || ' or story_id = ' || my_queue);
  perform private.policy('elder_review_queue', 'authenticated', 'insert', 'story_id = ' || my_stories || ' and state = ''pending'' and requested_by = ' || me);
  perform private.policy('elder_review_queue', 'authenticated', 'update',
    -- Decided ones too, so that an approval can be taken back; and never of a story with the elder's own voice in it.
    'story_id = ' || my_queue || ' and not story_id = ' || my_voices,
    -- Whoever decides signs with their own name.
    '(reviewer_id is null or reviewer_id = ' || me || ') and (state <> ''approved'' or story_id = ' || my_reviews || ') and '
    'exists (select from public.stories s where s.id = story_id and s.community_id = ' || my_elderships || ')');

  foreach name in array array['story_reactions', 'story_comments'] loop
    perform private.policy(name, 'anon', 'select', of_seen_story);
    perform private.policy(name, 'authenticated', 'select', of_seen_story);
    perform private.policy(name, 'authenticated', 'insert', 'profile_id = ' || me || ' and ' || of_seen_story);
    perform private.policy(name, 'authenticated', 'delete', 'profile_id = ' || me);
  end loop;
  perform private.policy('story_comments', 'authenticated', 'update', 'profile_id = ' || me || ' and ' || of_seen_story);
  perform private.policy('story_views', 'authenticated', 'select', 'story_id = ' || my_stories);

  perform private.policy('story_analysis', 'anon', 'select', ai_seen);
  perform private.policy('story_analysis', 'authenticated', 'select', ai_seen);
  perform private.policy('community_insights', 'anon', 'select', 'is_public and id = ' || insights);
  perform private.policy('community_insights', 'authenticated', 'select',
    '(is_public or community_id = ' || my_communities || ') and id = ' || insights);
  perform private.policy('community_insight_stories', 'authenticated', 'select',
    'exists (select from public.community_insights i where i.id = insight_id) and ' || of_seen_story);

  perform private.policy('value_events', 'authenticated', 'select',
    'community_id = ' || my_communities || ' or organisation_id = ' || my_administered || ' or story_id = ' || my_stories);
  perform private.policy('value_distributions', 'authenticated', 'select',
    'storyteller_id = ' || my_storytellers || ' or community_id = ' || my_communities || ' or organisation_id = ' || my_administered);

  perform private.policy('erasure_requests', 'authenticated', 'select', 'requested_by = ' || me);
  perform private.policy('erasure_requests', 'authenticated', 'insert',
    'requested_by = ' || me || ' and state = ''requested'' and ((scope = ''account'' and storyteller_id is null and story_id is null)'
    || ' or (scope = ''storyteller'' and story_id is null and storyteller_id = ' || my_storytellers || ')'
    || ' or (scope = ''story'' and storyteller_id is null and story_id = ' || my_stories || '))');
  perform private.policy('platform_config', 'anon', 'select', 'is_public');
  perform private.policy('platform_config', 'authenticated', 'select', 'is_public');

  -- Secrets: row-level security on and no policy would do; one that says so is easier to read than a silence.
  foreach name in array array['storyteller_contacts', 'storyteller_claims', 'claim_attempts', 'organisation_api_keys'] loop
    perform private.policy(name, 'authenticated', 'select', 'false');
  end loop;
end;
$$;

-- Grants. The service role may do everything but write what only triggers keep.
grant select, insert, update, delete on
  public.organisations, public.projects, public.locations, public.storytellers, public.storyteller_contacts,
  public.interviews, public.themes, public.quotes, public.media_assets, public.authorship, public.story_interviews,
  public.interview_storytellers, public.interview_themes, public.quote_interviews, public.profiles, public.communities,
  public.community_members, public.organisation_members, public.project_members, public.organisation_api_keys,
  public.cultural_protocols, public.storyteller_claims, public.platform_config, public.consents,
  public.elder_review_queue, public.story_reactions, public.story_comments, public.story_views, public.story_analysis,
  public.community_insights, public.community_insight_stories, public.value_events, public.value_distributions,
  public.erasure_requests
to service_role;
grant select on public.claim_attempts, public.consent_events, public.story_versions to service_role;
revoke insert, update on public.stories from service_role;
grant select, delete on public.stories to service_role;
do $$
declare
  writable text := (
    select string_agg(quote_ident(attname), ', ' order by attnum) from pg_catalog.pg_attribute
    where attrelid = 'public.stories'::regclass and attnum > 0 and not attisdropped
      and attname not in ('eff_limits', 'eff_until', 'eff_ai_until', 'locally_changed')
  );
begin
  execute format('grant insert (%1$s), update (%1$s) on public.stories to service_role', writable);
end;
$$;

grant select (id, name, kind, description, website) on public.organisations to anon, authenticated;
grant select (id, name, kind, state, country) on public.locations to anon, authenticated;
grant select on public.communities to anon, authenticated;
grant select (id, name, organisation_id, description, is_public) on public.projects to anon, authenticated;
grant update (name, description, website) on public.organisations to authenticated;
grant update (name, description, kind, governance) on public.communities to authenticated;
grant update (name, description) on public.projects to authenticated;
grant select, insert (id, display_name, bio, languages, preferences), update (display_name, bio, languages, preferences)
  on public.profiles to authenticated;
grant select, insert (community_id, profile_id, role), update (role, approved_at, approved_by), delete
  on public.community_members to authenticated;
grant select, insert (organisation_id, profile_id, role, invited_by), delete on public.organisation_members to authenticated;
grant select, delete on public.project_members to authenticated;
grant select, insert (community_id, name, description, enforcement, privacy, is_active, created_by),
  update (name, description, enforcement, privacy, is_active), delete
  on public.cultural_protocols to authenticated;
grant select (
  id, name, preferred_name, project_id, organisation_id, location_id, role, bio, personal_quote, reflection, website_themes,
  tags, raw_media_url, consent_status, consent_preferences, anonymity_preference, sensitive, on_website, recorded_on,
  profile_id, community_id, privacy, deceased, show_name, show_photo, show_bio, show_organisation, show_location,
  created_at, updated_at
), update (
  preferred_name, bio, personal_quote, privacy, show_name, show_photo, show_bio, show_organisation, show_location
) on public.storytellers to authenticated;

-- The words of a seen story, and not what is internal to it: evidence, watermark, transcript, where it came from.
grant select (
  id, title, copy, video_url, video_embed_code, recorded_on, language, status, privacy, sensitivity,
  requires_elder_review, community_id, organisation_id, project_id, published_at, created_at, updated_at,
  -- Read by the policy on story_analysis, which reads stories as the reader does.
  eff_ai_until
) on public.stories to anon, authenticated;
grant insert (title, copy, video_url, recorded_on, language, privacy, requires_elder_review, community_id, organisation_id,
  created_by) on public.stories to authenticated;
-- A teller may ask for a review, in the queue too, and never call one off: not requires_elder_review.
grant update (title, copy, video_url, recorded_on, language, privacy) on public.stories to authenticated;
grant select (id, story_id, storyteller_id, position) on public.authorship to anon, authenticated;
grant select (id, story_id, version, title, copy, replaced_at) on public.story_versions to authenticated;
grant select (id, file_name, kind, transcript, summary, recorded_on, created_at) on public.interviews to authenticated;
grant select (id, interview_id, storyteller_id, position) on public.interview_storytellers to authenticated;
grant select (id, story_id, interview_id, position) on public.story_interviews to authenticated;
grant select (id, quote_id, interview_id, position) on public.quote_interviews to authenticated;
grant select (id, quote, storyteller_id, story_id, featured, occurs_verbatim) on public.quotes to anon, authenticated;
grant select (id, name, description) on public.themes to anon, authenticated;
grant select (id, interview_id, theme_id, position) on public.interview_themes to authenticated;
-- Not the file's name: people name photos after whom they show.
grant select (id, role, story_id, storyteller_id, position, content_type, size_bytes, sha256, object_key)
  on public.media_assets to anon, authenticated;
grant select (id, storyteller_id, story_id, purpose, state, expires_at, evidence_kind, evidence, created_at, updated_at),
  insert (storyteller_id, story_id, purpose, state, expires_at, evidence_kind), update (state, expires_at)
  on public.consents to authenticated;
grant select on public.consent_events to authenticated;
grant select, insert (story_id, requested_by, note), update (state, note, reviewer_id, decided_at)
  on public.elder_review_queue to authenticated;
-- The public reads what was said, and not from which account.
grant select (id, story_id, kind, created_at) on public.story_reactions to anon;
grant select (id, story_id, parent_id, body, created_at, updated_at) on public.story_comments to anon;
grant select, insert (story_id, profile_id, kind), delete on public.story_reactions to authenticated;
grant select, insert (story_id, profile_id, parent_id, body), update (body), delete on public.story_comments to authenticated;
-- How often, and not by whom.
grant select (id, story_id, at) on public.story_views to authenticated;
grant select (id, story_id, kind, result, confidence, validated_at) on public.story_analysis to anon, authenticated;
grant select on public.community_insights to anon, authenticated;
grant select on public.community_insight_stories, public.value_events, public.value_distributions to authenticated;
grant select, insert (storyteller_id, story_id, requested_by, scope, reason) on public.erasure_requests to authenticated;
grant select on public.platform_config to anon, authenticated;

-- The audit sees what nobody is granted, and the policies on it are none: the service role reads past them.
create or replace function private.author_of_new_story() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  -- Only a signed-in person's own row comes here with created_by (the policy demands it): they are its first author.
  insert into public.authorship (id, story_id, storyteller_id, position)
  select gen_random_uuid(), new.id, t.id, 1
  from public.storytellers t where t.profile_id = new.created_by
  order by t.created_at, t.id limit 1;
  return null;
end;
$$;
revoke all on function private.author_of_new_story() from public, anon, authenticated, service_role;
create or replace trigger author_of_new_story after insert on public.stories for each row
  when (new.created_by is not null) execute function private.author_of_new_story()
