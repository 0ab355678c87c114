-- The app's queries, called through the API as functions: list, detail, cards, dashboard, community, value.
--
-- What belongs here: reading for the app, each query with the reader's own sight of stories (private.seen_stories). What
-- does not: acts (12), who may see what (10).
--
-- Invariants: what the API calls is a security invoker function of public, a thin shell over a definer function of
-- private, because neither a GIN index nor another person's name can be had under row-level security; every definer
-- function reads stories through private.seen_stories or private.my_stories and never otherwise; counts are
-- sub-aggregates, because joining four child tables multiplies sums. Re-runnable.
create or replace function private.story_words(title text, copy text) returns tsvector
  language sql immutable set search_path = ''
as $$
  -- A tsvector holds 1 MB: beyond 100,000 characters a text is searchable by its beginning.
  select setweight(to_tsvector('pg_catalog.english', left(coalesce(title, ''), 10000)), 'A')
    || to_tsvector('pg_catalog.english', left(coalesce(copy, ''), 100000))
$$;
create index if not exists stories_words_idx on public.stories using gin (private.story_words(title, copy));

-- The predicate of the policy on stories, for definer functions: its index can be used there.
create or replace view private.seen_stories as
  select s.* from public.stories s
  where s.published_at is not null and s.eff_until > now() and s.eff_limits < 4
    and (s.eff_limits in (0, 2) or s.community_id = any ((select private.my_communities())::uuid[]))
    and (s.eff_limits in (0, 1) or s.organisation_id = any ((select private.my_organisations())::uuid[]));
comment on view private.seen_stories is 'The published stories that the session''s person may see.';

-- Who a person lets themselves be shown as, field by field.
create or replace view private.shown_storytellers as
  select t.id,
    case when t.show_name then coalesce(t.preferred_name, t.name) end as name,
    case when t.show_bio then t.bio end as bio,
    case when t.show_organisation then o.name end as organisation,
    case when t.show_location then l.name end as location,
    case when t.show_photo then (
      select m.object_key from public.media_assets m
      where m.storyteller_id = t.id and m.role = 'profile_image' and m.source_deleted_at is null
      order by m.position limit 1
    ) end as photo,
    t.project_id,
    -- Cards asked for by organisation must not tell what the person does not show.
    case when t.show_organisation then t.organisation_id end as organisation_id
  from public.storytellers t
  left join public.organisations o on o.id = t.organisation_id
  left join public.locations l on l.id = t.location_id;
revoke all on private.seen_stories, private.shown_storytellers from public, anon, authenticated, service_role;

create or replace function private.authors_of(story uuid) returns jsonb
  language sql stable set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'photo', t.photo) order by a.position), '[]')
  from public.authorship a join private.shown_storytellers t on t.id = a.storyteller_id
  where a.story_id = story and a.source_deleted_at is null
$$;

create or replace function private.stories_page(
  page integer, size integer, search text, community uuid, organisation uuid, theme uuid
) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
declare
  -- Only what is asked for stands in the statement, so that each question has the plan that fits it.
  conditions text := ''
    || case when nullif(btrim(search), '') is not null then
      ' and private.story_words(s.title, s.copy) @@ websearch_to_tsquery(''pg_catalog.english'', $1)' else '' end
    || case when community is not null then ' and s.community_id = $2' else '' end
    || case when organisation is not null then ' and s.organisation_id = $3' else '' end
    || case when theme is not null then
      ' and s.eff_ai_until > now() and s.id in (select i.story_id from public.interview_themes t '
      'join public.story_interviews i on i.interview_id = t.interview_id where t.theme_id = $4)' else '' end;
  total bigint;
  rows jsonb;
begin
  if (page >= 1 and size between 1 and 100) is not true then
    raise exception 'page begins at 1 and size is between 1 and 100' using errcode = 'invalid_parameter_value';
  end if;
  execute 'select count(*) from private.seen_stories s where true' || conditions
    into total using search, community, organisation, theme;
  execute
    'select coalesce(jsonb_agg(to_jsonb(p) - ''place'' || jsonb_build_object('
    '''authors'', private.authors_of(p.id), '
    '''community'', (select jsonb_build_object(''name'', c.name, ''slug'', c.slug) from public.communities c where c.id = p.community_id), '
    '''image'', (select m.object_key from public.media_assets m where m.story_id = p.id and m.role = ''story_image'' '
    'and m.source_deleted_at is null order by m.position limit 1)) order by p.place), ''[]'') from ('
    'select row_number() over () as place, f.* from (select s.id, s.title, s.copy, s.video_url, s.privacy, s.language, s.recorded_on, '
    's.published_at, s.community_id, s.organisation_id from private.seen_stories s where true' || conditions ||
    ' order by s.published_at desc, s.id limit $5 offset $6) f) p'
    into rows using search, community, organisation, theme, size, (page - 1) * size::bigint;
  return jsonb_build_object('total', total, 'page', page, 'size', size, 'stories', rows);
end;
$$;

create or replace function private.story_detail(story uuid) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'id', s.id, 'title', s.title, 'copy', s.copy, 'video_url', s.video_url, 'language', s.language,
    'recorded_on', s.recorded_on, 'published_at', s.published_at, 'status', s.status, 'privacy', s.privacy,
    'community', (select jsonb_build_object('id', c.id, 'name', c.name, 'slug', c.slug) from public.communities c where c.id = s.community_id),
    'authors', private.authors_of(s.id),
    'images', (
      select coalesce(jsonb_agg(m.object_key order by m.position), '[]') from public.media_assets m
      where m.story_id = s.id and m.role = 'story_image' and m.source_deleted_at is null
    ),
    'views', (select count(*) from public.story_views v where v.story_id = s.id),
    'reactions', (
      select coalesce(jsonb_object_agg(r.kind, r.number), '{}')
      from (select kind, count(*) as number from public.story_reactions where story_id = s.id group by kind) r
    ),
    'comments', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'id', c.id, 'parent_id', c.parent_id, 'by', p.display_name, 'body', c.body, 'at', c.created_at
      ) order by c.created_at, c.id), '[]')
      from public.story_comments c join public.profiles p on p.id = c.profile_id where c.story_id = s.id
    ),
    'quotes', (
      select coalesce(jsonb_agg(jsonb_build_object('id', q.id, 'quote', q.quote) order by q.featured desc, q.id), '[]')
      from public.quotes q where q.story_id = s.id and q.source_deleted_at is null
        and exists (select from public.authorship a where a.story_id = s.id and a.storyteller_id = q.storyteller_id)
    )
  )
  from public.stories s
  where s.id = story
    and (exists (select from private.seen_stories v where v.id = s.id) or s.id = any ((select private.my_stories())::uuid[]))
$$;

create or replace function private.record_view(story uuid) returns boolean
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  insert into public.story_views (story_id, viewer_id)
  select v.id, (select p.id from public.profiles p where p.id = auth.uid()) from private.seen_stories v where v.id = story;
  return found;
end;
$$;

create or replace function private.storyteller_cards(project uuid, organisation uuid, size integer, after uuid) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
begin
  if (size between 1 and 100) is not true then
    raise exception 'size is between 1 and 100' using errcode = 'invalid_parameter_value';
  end if;
  return (select coalesce(jsonb_agg(to_jsonb(t) - 'project_id' - 'organisation_id' || jsonb_build_object(
    'themes', (
      select coalesce(jsonb_agg(x.name order by x.name), '[]') from (
        select distinct h.name
        from public.authorship a
        join private.seen_stories s on s.id = a.story_id and s.eff_ai_until > now()
        join public.story_interviews i on i.story_id = s.id
        join public.interview_themes j on j.interview_id = i.interview_id
        join public.themes h on h.id = j.theme_id
        where a.storyteller_id = t.id order by h.name limit 3
      ) x
    ),
    'quote', (
      select q.quote from public.quotes q
      join private.seen_stories s on s.id = q.story_id
      where q.storyteller_id = t.id and q.featured and q.source_deleted_at is null
        and exists (select from public.authorship a where a.story_id = s.id and a.storyteller_id = t.id)
      order by q.id limit 1
    )
  ) order by t.id), '[]')
  from (
    select t.* from private.shown_storytellers t
    where ($1 is null or t.project_id = $1)
      and ($2 is null or t.organisation_id = $2)
      and ($4 is null or t.id > $4)
      and exists (
        select from public.authorship a join private.seen_stories s on s.id = a.story_id
        where a.storyteller_id = t.id and a.source_deleted_at is null
      )
    order by t.id limit $3
  ) t);
end;
$$;

create or replace function private.my_dashboard() returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'stories', count(*),
    'published', count(*) filter (where d.status = 'published'),
    'open', count(*) filter (where d.open),
    'analysed', count(*) filter (where d.analysed > 0),
    'validated', count(*) filter (where d.validated > 0),
    'own_share', (
      select coalesce(sum(v.amount), 0) from public.value_distributions v
      where v.storyteller_id = any ((select private.my_storytellers())::uuid[]) and v.status <> 'failed'
    ),
    'list', coalesce(jsonb_agg(to_jsonb(d) order by d.created_at desc, d.id), '[]')
  )
  from (
    select s.id, s.title, s.status, s.privacy, s.created_at, s.published_at,
      s.eff_until > now() and s.eff_limits < 4 as open,
      (select count(*) from public.story_analysis a where a.story_id = s.id) as analysed,
      (select count(*) from public.story_analysis a where a.story_id = s.id and a.validated_at is not null) as validated,
      (select count(*) from public.story_reactions r where r.story_id = s.id) as reactions,
      (select count(*) from public.story_comments c where c.story_id = s.id) as comments,
      (select count(*) from public.story_views v where v.story_id = s.id) as views,
      (select coalesce(sum(e.amount), 0) from public.value_events e where e.story_id = s.id) as value
    from public.stories s
    where s.id = any ((select private.my_stories())::uuid[])
  ) d
$$;

create or replace function private.community_view(community uuid) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  with seen as materialized (
    select v.id, v.eff_limits, v.eff_ai_until, v.published_at
    from private.seen_stories v where v.community_id = community
  )
  select jsonb_build_object(
    'id', c.id, 'name', c.name, 'slug', c.slug, 'description', c.description,
    'stories', s.stories, 'public', s.public, 'last_activity', s.last_activity,
    'storytellers', (
      select count(distinct a.storyteller_id) from public.authorship a join seen v on v.id = a.story_id
    ),
    'analysed', (
      select count(distinct a.story_id) from public.story_analysis a
      join seen v on v.id = a.story_id where v.eff_ai_until > now()
    ),
    'recent_themes', (
      select coalesce(jsonb_agg(distinct h.name), '[]')
      from (select v.id from seen v where v.eff_ai_until > now() order by v.published_at desc limit 20) r
      join public.story_interviews i on i.story_id = r.id
      join public.interview_themes j on j.interview_id = i.interview_id
      join public.themes h on h.id = j.theme_id
    ),
    'insights', (
      select coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'kind', n.kind, 'result', n.result) order by n.created_at desc), '[]')
      from public.community_insights n
      where n.community_id = c.id and (n.is_public or c.id = any ((select private.my_communities())::uuid[]))
        and n.id = any ((select private.standing_insights())::uuid[])
    ),
    -- Money is the community's own affair.
    'value', case when c.id = any ((select private.my_communities())::uuid[]) then (
      select coalesce(sum(e.amount), 0) from public.value_events e where e.community_id = c.id
    ) end
  )
  from public.communities c
  cross join (
    select count(*) as stories, count(*) filter (where v.eff_limits = 0) as public, max(v.published_at) as last_activity
    from seen v
  ) s
  where c.id = community
$$;

create or replace function private.value_report(organisation uuid, since date) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  with events as (
    select e.* from public.value_events e
    where e.organisation_id = organisation and (since is null or e.occurred_on >= since)
      and (e.organisation_id = any ((select private.my_administered_organisations())::uuid[]) or current_setting('role') = 'service_role')
  ), shares as (
    select d.recipient, d.amount from public.value_distributions d join events e on e.id = d.event_id where d.status <> 'failed'
  )
  select jsonb_build_object(
    'events', (select count(*) from events),
    'total', (select coalesce(sum(amount), 0) from events),
    'shared', (select coalesce(sum(amount), 0) from shares),
    'by_recipient', (select coalesce(jsonb_object_agg(recipient, amount), '{}') from (select recipient, sum(amount) as amount from shares group by recipient) r),
    'by_kind', (select coalesce(jsonb_object_agg(kind, amount), '{}') from (select kind, sum(amount) as amount from events group by kind) k),
    'grants', (select count(*) from events where kind = 'grant_funded'),
    'granted', (select coalesce(sum(amount), 0) from events where kind = 'grant_funded')
  )
$$;

create or replace function public.stories_page(
  page integer default 1, size integer default 20, search text default null,
  community uuid default null, organisation uuid default null, theme uuid default null
) returns jsonb language sql stable security invoker set search_path = ''
as $$ select private.stories_page(page, size, search, community, organisation, theme) $$;
comment on function public.stories_page is 'The stories that the caller may see, newest first: page, exact total, filters and full text.';
create or replace function public.story_detail(story uuid) returns jsonb
  language sql stable security invoker set search_path = '' as $$ select private.story_detail(story) $$;
comment on function public.story_detail is 'One story that the caller may see or has told, with responses; NULL otherwise.';
create or replace function public.record_view(story uuid) returns boolean
  language sql volatile security invoker set search_path = '' as $$ select private.record_view(story) $$;
comment on function public.record_view is 'Count one view of a story that the caller may see.';
create or replace function public.storyteller_cards(
  project uuid default null, organisation uuid default null, size integer default 3, after uuid default null
) returns jsonb language sql stable security invoker set search_path = ''
as $$ select private.storyteller_cards(project, organisation, size, after) $$;
comment on function public.storyteller_cards is 'People with a story that the caller may see, showing of each what that person chose to show.';
create or replace function public.my_dashboard() returns jsonb
  language sql stable security invoker set search_path = '' as $$ select private.my_dashboard() $$;
comment on function public.my_dashboard is 'A storyteller''s own stories with their counts, each count its own sub-aggregate.';
create or replace function public.community_view(community uuid) returns jsonb
  language sql stable security invoker set search_path = '' as $$ select private.community_view(community) $$;
comment on function public.community_view is 'A community as the caller may see it.';
create or replace function public.value_report(organisation uuid, since date default null) returns jsonb
  language sql stable security invoker set search_path = '' as $$ select private.value_report(organisation, since) $$;
comment on function public.value_report is 'What an organisation''s value events came to and how they were shared; for its administrators.';

revoke all on function
  private.story_words(text, text), private.authors_of(uuid), private.stories_page(integer, integer, text, uuid, uuid, uuid),
  private.story_detail(uuid), private.record_view(uuid), private.storyteller_cards(uuid, uuid, integer, uuid),
  private.my_dashboard(), private.community_view(uuid), private.value_report(uuid, date),
  public.stories_page(integer, integer, text, uuid, uuid, uuid), public.story_detail(uuid), public.record_view(uuid),
  public.storyteller_cards(uuid, uuid, integer, uuid), public.my_dashboard(), public.community_view(uuid),
  public.value_report(uuid, date)
from public, anon, authenticated, service_role;
grant execute on function
  private.stories_page(integer, integer, text, uuid, uuid, uuid), private.story_detail(uuid), private.record_view(uuid),
  private.storyteller_cards(uuid, uuid, integer, uuid), private.community_view(uuid),
  public.stories_page(integer, integer, text, uuid, uuid, uuid), public.story_detail(uuid), public.record_view(uuid),
  public.storyteller_cards(uuid, uuid, integer, uuid), public.community_view(uuid)
to anon, authenticated, service_role;
grant execute on function private.my_dashboard(), public.my_dashboard(), private.value_report(uuid, date), public.value_report(uuid, date)
to authenticated, service_role;
-- Writing a story evaluates the index's function as the writer.
grant execute on function private.story_words(text, text) to authenticated, service_role
