-- Where the app finds a migrated file: bucket and key, written by `ledger-assets media ENV place`.
--
-- What belongs here: the columns, which files anybody may see, and the app's queries that name a file. What does not: the
-- files as they came (media_assets.object_key: the migration's own store), who may see what (09, 10).
--
-- Invariants: a key is set only after the file's bytes were read back from there; the columns are the app's, so that setting
-- them is no conflict with Airtable; a file lies where anybody can fetch it only while private.open_media names its row.
-- Re-runnable.
alter table public.media_assets
  add column if not exists storage_bucket text,
  add column if not exists storage_key text,
  add column if not exists placed_at timestamptz;
alter table public.media_assets drop constraint if exists media_assets_placed_check;
alter table public.media_assets add constraint media_assets_placed_check
  check (num_nonnulls(storage_bucket, storage_key, placed_at) in (0, 3));
comment on column public.media_assets.storage_bucket is 'The bucket the app serves the file from; NULL: not placed yet.';
comment on column public.media_assets.storage_key is 'The file''s key in that bucket.';
comment on column public.media_assets.object_key is 'Where the migration itself keeps the bytes; the app serves storage_key.';
select private.guard('public.media_assets', array['storage_bucket', 'storage_key', 'placed_at']);
-- Its columns are listed in the trigger.
select private.watch('public.media_assets', true);
grant select (storage_bucket, storage_key) on public.media_assets to anon, authenticated;

-- Files for everybody: pictures of stories that are open to everybody without an end, and what a person with such a story
-- shows as their photo. A consent that ends by itself is not enough: at that moment nothing runs that would move the file.
create or replace view private.open_media as
  select m.id
  from public.media_assets m
  where m.source_deleted_at is null and (
    (m.role = 'story_image' and exists (
      select from public.stories s where s.id = m.story_id and s.eff_limits = 0 and s.eff_until = 'infinity'
    ))
    or (m.role = 'profile_image' and exists (
      select from public.storytellers t
      join public.authorship a on a.storyteller_id = t.id and a.source_deleted_at is null
      join public.stories s on s.id = a.story_id and s.eff_limits = 0 and s.eff_until = 'infinity'
      where t.id = m.storyteller_id and t.show_photo and t.source_deleted_at is null
    ) and not exists (
      -- The first alone is shown (shown_storytellers).
      select from public.media_assets o
      where o.storyteller_id = m.storyteller_id and o.role = m.role and o.source_deleted_at is null and o.position < m.position
    ))
  );
comment on view private.open_media is 'Files that may lie where anybody can fetch them, by their rows'' ids.';
revoke all on private.open_media from public, anon, authenticated, service_role;

create or replace function private.media_place(file public.media_assets) returns text
  language sql immutable set search_path = ''
as $$ select coalesce(file.storage_bucket || '/' || file.storage_key, file.object_key) $$;
comment on function private.media_place(public.media_assets) is
  'How the app''s queries name a file: bucket/key where it is served, before that the migration''s own key.';

-- The app's queries of 11 once more, with the place for the key; the list of stories follows in 24.
create or replace view private.shown_storytellers as
  select t.id,
    case when t.show_name then coalesce(t.preferred_name, t.name) end as name,
    case when t.show_bio then t.bio end as bio,
    case when t.show_organisation then o.name end as organisation,
    case when t.show_location then l.name end as location,
    case when t.show_photo then (
      select private.media_place(m) from public.media_assets m
      where m.storyteller_id = t.id and m.role = 'profile_image' and m.source_deleted_at is null
      order by m.position limit 1
    ) end as photo,
    t.project_id,
    -- Cards asked for by organisation must not tell what the person does not show.
    case when t.show_organisation then t.organisation_id end as organisation_id
  from public.storytellers t
  left join public.organisations o on o.id = t.organisation_id
  left join public.locations l on l.id = t.location_id;

create or replace function private.story_detail(story uuid) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'id', s.id, 'title', s.title, 'copy', s.copy, 'video_url', s.video_url, 'language', s.language,
    'recorded_on', s.recorded_on, 'published_at', s.published_at, 'status', s.status, 'privacy', s.privacy,
    'community', (select jsonb_build_object('id', c.id, 'name', c.name, 'slug', c.slug) from public.communities c where c.id = s.community_id),
    'authors', private.authors_of(s.id),
    'images', (
      select coalesce(jsonb_agg(private.media_place(m) order by m.position), '[]') from public.media_assets m
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

revoke all on private.shown_storytellers from public, anon, authenticated, service_role;
revoke all on function private.media_place(public.media_assets) from public, anon, authenticated, service_role;
