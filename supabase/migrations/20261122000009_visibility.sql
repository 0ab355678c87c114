-- The consent rule, written once, and the columns of stories that keep its result.
--
-- What belongs here: who may see a story at all, and the triggers by which no change can leave the kept result stale.
-- What does not: who is asking (10_policies).
--
-- The rule, in words. A story may be seen by the circle that remains when every limit is put on it at once: its own
-- privacy, that of each of its people (its authors, and whoever speaks in an interview it is made from), each strict
-- protocol of its community, and "community" where the story or one of its people is sensitive. It is closed unless it
-- is published, still in the base, not sacred, has people, is approved where approval is demanded or under way, and
-- each of its people has consented to each purpose that this circle needs, without a withdrawal, until an expiry that
-- has not come. The dead need a consent to posthumous use besides. What a machine said of a story stands beside it only
-- while it is open and each of its people consents to analysis.
--
-- Invariants: limits combine by AND (a bit each: 1 community, 2 organisation, 4 closed); nothing but private.story_rule
-- decides; every table it reads has triggers for insert, update, delete and truncate; every refresh first locks what
-- the change hangs on, in one order (storytellers, communities, interviews, stories): two sessions that each do not
-- see the other's change would leave a story open. Re-runnable.
-- A function for the acts (12) alone: the rule itself says it in place, because a call per row cannot be inlined
-- (measured: half of a refresh of 100,000 stories).
create or replace function private.limit_of(privacy text) returns smallint
  language sql immutable set search_path = ''
as $$
  select case privacy when 'public' then 0 when 'community' then 1 when 'organisation' then 2 else 4 end::smallint
$$;
revoke all on function private.limit_of(text) from public, anon, authenticated, service_role;

create or replace view private.story_people as
  select a.story_id, a.storyteller_id from public.authorship a
  union all
  select i.story_id, p.storyteller_id
  from public.story_interviews i join public.interview_storytellers p on p.interview_id = i.interview_id;
comment on view private.story_people is
  'Whose story it is: its authors, and whoever speaks in an interview it is made from. Somebody who is both stands here twice.';

create or replace view private.story_terms as
  select p.story_id, p.storyteller_id, t.deceased,
    case t.privacy when 'public' then 0 when 'community' then 1 when 'organisation' then 2 else 4 end
      | case when t.sensitive then 1 else 0 end as limits,
    case when c.no_public_sharing then '-infinity' else coalesce(c.public_sharing, '-infinity') end as public_sharing,
    case when c.no_community_sharing then '-infinity' else coalesce(c.community_sharing, '-infinity') end as community_sharing,
    case when c.no_organisation_sharing then '-infinity' else coalesce(c.organisation_sharing, '-infinity') end as organisation_sharing,
    case when c.no_ai_analysis then '-infinity' else coalesce(c.ai_analysis, '-infinity') end as ai_analysis,
    case when c.no_commercial_use then '-infinity' else coalesce(c.commercial_use, '-infinity') end as commercial_use,
    case when c.no_posthumous then '-infinity' else coalesce(c.posthumous, '-infinity') end as posthumous
  from private.story_people p
  join public.storytellers t on t.id = p.storyteller_id
  cross join lateral (
    select
      bool_or(k.withdrawn) filter (where k.purpose = 'public_sharing') as no_public_sharing,
      max(k.until) filter (where k.purpose = 'public_sharing') as public_sharing,
      bool_or(k.withdrawn) filter (where k.purpose = 'community_sharing') as no_community_sharing,
      max(k.until) filter (where k.purpose = 'community_sharing') as community_sharing,
      bool_or(k.withdrawn) filter (where k.purpose = 'organisation_sharing') as no_organisation_sharing,
      max(k.until) filter (where k.purpose = 'organisation_sharing') as organisation_sharing,
      bool_or(k.withdrawn) filter (where k.purpose = 'ai_analysis') as no_ai_analysis,
      max(k.until) filter (where k.purpose = 'ai_analysis') as ai_analysis,
      bool_or(k.withdrawn) filter (where k.purpose = 'commercial_use') as no_commercial_use,
      max(k.until) filter (where k.purpose = 'commercial_use') as commercial_use,
      bool_or(k.withdrawn) filter (where k.purpose = 'posthumous') as no_posthumous,
      max(k.until) filter (where k.purpose = 'posthumous') as posthumous
    from (
      select k.purpose, k.state = 'withdrawn' as withdrawn,
        case when k.state = 'given' and k.source_deleted_at is null then coalesce(k.expires_at, 'infinity') end as until
      from public.consents k
      where k.storyteller_id = p.storyteller_id and (k.story_id is null or k.story_id = p.story_id)
    ) k
  ) c;
comment on view private.story_terms is
  'What each person of a story allows: their limits, and until when they consent to each purpose (-infinity: not at all).';

create or replace view private.story_consent as
  select t.story_id, t.storyteller_id, n.purpose, n.until
  from private.story_terms t
  cross join lateral (values
    ('public_sharing', t.public_sharing), ('community_sharing', t.community_sharing),
    ('organisation_sharing', t.organisation_sharing), ('ai_analysis', t.ai_analysis),
    ('commercial_use', t.commercial_use), ('posthumous', t.posthumous)
  ) n (purpose, until);
comment on view private.story_consent is 'private.story_terms, a line for each purpose.';

create or replace view private.story_circle as
  select
    s.id,
    (
      case s.privacy when 'public' then 0 when 'community' then 1 when 'organisation' then 2 else 4 end
      | case s.sensitivity when 'standard' then 0 when 'sensitive' then 1 else 4 end
      | people.limits
      | protocols.limits
      | case when r.state <> 'approved' then 4 else 0 end
      | case when r.state is null and (s.requires_elder_review or s.sensitivity <> 'standard' or protocols.review) then 4 else 0 end
      | case when s.status = 'published' and s.source_deleted_at is null and people.number > 0 then 0 else 4 end
    )::smallint as limits,
    people.public_sharing, people.community_sharing, people.organisation_sharing, people.ai_analysis, people.posthumous
  from public.stories s
  left join public.elder_review_queue r on r.story_id = s.id
  cross join lateral (
    select count(*) as number, coalesce(bit_or(t.limits), 0) as limits,
      min(t.public_sharing) as public_sharing, min(t.community_sharing) as community_sharing,
      min(t.organisation_sharing) as organisation_sharing, min(t.ai_analysis) as ai_analysis,
      min(t.posthumous) filter (where t.deceased) as posthumous
    from private.story_terms t where t.story_id = s.id
  ) people
  cross join lateral (
    select coalesce(bit_or(
        case c.privacy when 'public' then 0 when 'community' then 1 when 'organisation' then 2 else 4 end
      ) filter (where c.enforcement = 'strict'), 0) as limits,
      coalesce(bool_or(c.enforcement = 'required'), false) as review
    from public.cultural_protocols c
    where c.community_id = s.community_id and c.is_active
  ) protocols;
comment on view private.story_circle is
  'The circle that remains when every limit is put on a story, and until when all of its people consent to each purpose.';

create or replace view private.story_rule as
  select c.id,
    case when c.until = '-infinity' then 4 else c.limits end::smallint as limits,
    c.until,
    -- What a machine said stands beside a story that is open, and never longer than it.
    least(c.until, c.ai_analysis) as ai_until
  from (
    select s.id, s.limits, s.ai_analysis,
      -- LEAST passes over NULLs: a purpose that this circle does not need, and posthumous where nobody has died.
      case when s.limits >= 4 then '-infinity' else least(
        case when s.limits = 0 then s.public_sharing end,
        case when s.limits & 1 = 1 then s.community_sharing end,
        case when s.limits & 2 = 2 then s.organisation_sharing end,
        s.posthumous
      ) end as until
    from private.story_circle s
  ) c;
comment on view private.story_rule is 'The consent rule. Nothing else decides who may see a story.';
revoke all on private.story_people, private.story_terms, private.story_consent, private.story_circle, private.story_rule
  from public, anon, authenticated, service_role;

create or replace function private.refresh_stories(ids uuid[]) returns bigint
  language plpgsql security definer set search_path = ''
as $$
declare
  written bigint;
begin
  perform private.read_committed();
  perform from public.stories s where s.id = any (ids) order by s.id for no key update;
  -- A statement of its own, so that it sees what the sessions waited for have committed.
  update public.stories s
  set eff_limits = r.limits, eff_until = r.until, eff_ai_until = r.ai_until
  from private.story_rule r
  where r.id = s.id and r.id = any (ids) and s.id = any (ids)
    and (s.eff_limits, s.eff_until, s.eff_ai_until) is distinct from (r.limits, r.until, r.ai_until);
  get diagnostics written = row_count;
  return written;
end;
$$;
comment on function private.refresh_stories(uuid[]) is 'Bring the kept columns of these stories to what the rule says; returns how many were written.';

create or replace function private.refresh_after(storytellers uuid[], communities uuid[], interviews uuid[], stories uuid[])
  returns void
  language plpgsql security definer set search_path = ''
as $$
declare
  affected uuid[];
  speakers uuid[];
begin
  perform private.read_committed();
  -- Whoever speaks in an interview may be withdrawing in a session that cannot see the story's new link to it.
  select array_agg(p.storyteller_id) into speakers
  from public.interview_storytellers p where p.interview_id = any (interviews);
  perform from public.storytellers t where t.id = any (storytellers || speakers) order by t.id for no key update;
  perform from public.communities c where c.id = any (communities) order by c.id for no key update;
  perform from public.interviews i where i.id = any (interviews) order by i.id for no key update;
  -- Once more: a speaker may have been added by the session that the lock on the interview waited for.
  select array_agg(p.storyteller_id) into speakers
  from public.interview_storytellers p where p.interview_id = any (interviews);
  perform from public.storytellers t where t.id = any (speakers) order by t.id for no key update;
  select array_agg(distinct f.id) into affected from (
    select unnest(stories) as id
    union all select a.story_id from public.authorship a where a.storyteller_id = any (storytellers)
    union all
    select i.story_id from public.interview_storytellers p join public.story_interviews i on i.interview_id = p.interview_id
    where p.storyteller_id = any (storytellers)
    union all select i.story_id from public.story_interviews i where i.interview_id = any (interviews)
    union all select s.id from public.stories s where s.community_id = any (communities)
  ) f;
  if affected is not null then
    perform private.refresh_stories(affected);
  end if;
end;
$$;

create or replace function private.refresh_all() returns bigint
  language plpgsql security definer set search_path = ''
as $$
begin
  -- The loader's rows fired no trigger and took no row lock: a withdrawal under way must end first, and the next one wait;
  -- and so must whoever publishes a story without seeing who has just been loaded as its author.
  lock table public.storytellers, public.consents, public.cultural_protocols, public.elder_review_queue, public.authorship,
    public.story_interviews, public.interview_storytellers, public.stories in share row exclusive mode;
  -- What is neither published nor open is closed by the rule and by its columns: there is nothing to bring up to date.
  return private.refresh_stories(array(
    select s.id from public.stories s
    where s.status = 'published' or s.eff_limits < 4 or s.eff_until > '-infinity' or s.eff_ai_until > '-infinity'
  ));
end;
$$;
comment on function private.refresh_all() is 'For the loader, once before it commits: its rows fire no trigger here.';

-- One function for every source: its arguments name the columns that hold a storyteller, a community, an interview, a
-- story (empty: none), and the columns whose change matters (empty: all).
create or replace function private.visibility_changed() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  changed text := case tg_op
    when 'INSERT' then 'select * from new_rows'
    when 'DELETE' then 'select * from old_rows'
    when 'UPDATE' then case when tg_argv[4] = '' then 'select * from new_rows union all select * from old_rows'
      else format(
        -- Full, because a row whose id changes too has no partner.
        'select n.* from new_rows n full join old_rows o using (id) where row(%1$s) is distinct from row(%2$s) '
        'union all select o.* from new_rows n full join old_rows o using (id) where row(%1$s) is distinct from row(%2$s)',
        (select string_agg('n.' || c, ', ') from unnest(string_to_array(tg_argv[4], ' ')) c),
        (select string_agg('o.' || c, ', ') from unnest(string_to_array(tg_argv[4], ' ')) c))
      end
  end;
  storytellers uuid[];
  communities uuid[];
  interviews uuid[];
  stories uuid[];
begin
  if private.is_loader() then
    return null;
  end if;
  if tg_op = 'TRUNCATE' then
    perform private.refresh_all();
    return null;
  end if;
  -- EXECUTE, because a plan made while the transition table was empty joins thousands of rows in a nested loop (measured:
  -- 31,000 rows not done after 110 s).
  execute format(
    'select array_agg(distinct %s), array_agg(distinct %s), array_agg(distinct %s), array_agg(distinct %s) from (%s) c',
    coalesce(nullif(tg_argv[0], ''), 'null::uuid'), coalesce(nullif(tg_argv[1], ''), 'null::uuid'),
    coalesce(nullif(tg_argv[2], ''), 'null::uuid'), coalesce(nullif(tg_argv[3], ''), 'null::uuid'), changed)
  into storytellers, communities, interviews, stories;
  -- An empty transition table: a refresh that wrote nothing ends here.
  if coalesce(storytellers, communities, interviews, stories) is not null then
    perform private.refresh_after(storytellers, communities, interviews, stories);
  end if;
  return null;
end;
$$;

create or replace function private.story_changed() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  ids uuid[];
  communities uuid[];
begin
  if private.is_loader() then
    return null;
  end if;
  if tg_op = 'INSERT' then
    execute 'select array_agg(id), array_agg(distinct community_id) from new_rows' into ids, communities;
  else
    execute
      'select array_agg(n.id), array_agg(distinct n.community_id) filter (where n.community_id is distinct from o.community_id) '
      'from new_rows n left join old_rows o using (id) where '
      '(n.status, n.privacy, n.community_id, n.sensitivity, n.requires_elder_review, n.source_deleted_at) is distinct from '
      '(o.status, o.privacy, o.community_id, o.sensitivity, o.requires_elder_review, o.source_deleted_at)'
    into ids, communities;
  end if;
  if ids is not null then
    perform private.read_committed();
    -- A protocol made in another session for the community that the story moves into.
    perform from public.communities c where c.id = any (communities) order by c.id for no key update;
    perform private.refresh_stories(ids);
  end if;
  return null;
end;
$$;

create or replace trigger visibility_insert after insert on public.stories
  referencing new table as new_rows for each statement execute function private.story_changed();
create or replace trigger visibility_update after update on public.stories
  referencing new table as new_rows old table as old_rows for each statement execute function private.story_changed();

do $$
declare
  source record;
begin
  for source in select * from (values
    ('authorship', 'storyteller_id', '', '', 'story_id', 'storyteller_id story_id'),
    ('interview_storytellers', 'storyteller_id', '', 'interview_id', '', 'storyteller_id interview_id'),
    ('story_interviews', '', '', 'interview_id', 'story_id', 'interview_id story_id'),
    ('storytellers', 'id', '', '', '', 'privacy sensitive deceased'),
    ('consents', 'storyteller_id', '', '', '', 'storyteller_id story_id purpose state expires_at source_deleted_at'),
    ('cultural_protocols', '', 'community_id', '', '', 'community_id enforcement privacy is_active'),
    ('elder_review_queue', '', '', '', 'story_id', 'story_id state')
  ) s (name, storyteller, community, interview, story, watched) loop
    execute format(
      'create or replace trigger visibility_insert after insert on public.%I referencing new table as new_rows '
      'for each statement execute function private.visibility_changed(%L, %L, %L, %L, %L)',
      source.name, source.storyteller, source.community, source.interview, source.story, source.watched);
    execute format(
      'create or replace trigger visibility_update after update on public.%I referencing new table as new_rows old table as old_rows '
      'for each statement execute function private.visibility_changed(%L, %L, %L, %L, %L)',
      source.name, source.storyteller, source.community, source.interview, source.story, source.watched);
    execute format(
      'create or replace trigger visibility_delete after delete on public.%I referencing old table as old_rows '
      'for each statement execute function private.visibility_changed(%L, %L, %L, %L, %L)',
      source.name, source.storyteller, source.community, source.interview, source.story, source.watched);
    execute format(
      'create or replace trigger visibility_truncate after truncate on public.%I '
      'for each statement execute function private.visibility_changed(%L, %L, %L, %L, %L)',
      source.name, source.storyteller, source.community, source.interview, source.story, source.watched);
  end loop;
end;
$$;

create or replace view private.visibility_drift as
  select s.id, s.eff_limits, s.eff_until, s.eff_ai_until, r.limits, r.until, r.ai_until
  from public.stories s join private.story_rule r on r.id = s.id
  where (s.eff_limits, s.eff_until, s.eff_ai_until) is distinct from (r.limits, r.until, r.ai_until);
comment on view private.visibility_drift is 'Stories whose kept columns are not what the rule says. Must be empty.';
revoke all on private.visibility_drift from public, anon, authenticated, service_role;
revoke all on all functions in schema private from public, anon, authenticated, service_role
