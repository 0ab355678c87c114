-- The words of published stories, read once when they change: a search reads no text.
--
-- What belongs here: the words, what keeps them, and the list of stories (11) that searches them. What does not: who may see a
-- story (09, 11): the list reads stories through private.seen_stories and never otherwise.
--
-- Before, the index alone held the words, and whatever the planner checked outside it parsed the text again: a word that
-- stands in each of 50,000 stories took 3.7 s and more, over the API's limit of 3 s. And since every new version of a story's
-- row went into that index, its text was parsed too where only its visibility changed.
--
-- A table of its own and no column of stories: audit images, versions, snapshots' rows and grants of stories would all carry
-- the words; and only what is published is searched, so that a load, which publishes nothing, parses nothing.
--
-- Invariants: a row for each published story and for no other; no API role reads it; it follows from stories, so that no
-- restore brings it back (private.refresh_search makes it anew). Re-runnable.
create table if not exists private.story_search (
  story_id uuid primary key references public.stories (id) on delete cascade on update cascade,
  words tsvector not null
);
comment on table private.story_search is 'The words of each published story, kept by triggers: people''s words. Not exposed to the API.';
alter table private.story_search enable row level security;
revoke all on table private.story_search from public, anon, authenticated, service_role;
create index if not exists story_search_words_idx on private.story_search using gin (words);
drop index if exists public.stories_words_idx;
-- It was for the index, which was written as the writer.
revoke all on function private.story_words(text, text) from public, anon, authenticated, service_role;

create or replace function private.keep_search() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  if new.published_at is null then
    delete from private.story_search w where w.story_id = new.id;
  else
    insert into private.story_search as w (story_id, words) values (new.id, private.story_words(new.title, new.copy))
    on conflict (story_id) do update set words = excluded.words;
  end if;
  return null;
end;
$$;
-- For every writer, the loader too: it brings corrected texts of stories that are published.
create or replace trigger search_insert after insert on public.stories for each row
  when (new.published_at is not null) execute function private.keep_search();
create or replace trigger search_update after update of title, copy, published_at on public.stories for each row
  -- Not rows compared: what Postgres prints of that, it reads back as something else.
  when (coalesce(old.published_at, new.published_at) is not null and (
    old.title is distinct from new.title or old.copy is distinct from new.copy
    or (old.published_at is null) is distinct from (new.published_at is null)))
  execute function private.keep_search();

create or replace function private.refresh_search() returns bigint
  language plpgsql security definer set search_path = ''
as $$
declare
  written bigint;
  gone bigint;
begin
  lock table public.stories in share row exclusive mode;
  delete from private.story_search w
  where not exists (select from public.stories s where s.id = w.story_id and s.published_at is not null);
  get diagnostics gone = row_count;
  insert into private.story_search as w (story_id, words)
  select s.id, private.story_words(s.title, s.copy) from public.stories s where s.published_at is not null
  on conflict (story_id) do update set words = excluded.words where w.words is distinct from excluded.words;
  get diagnostics written = row_count;
  return gone + written;
end;
$$;
comment on function private.refresh_search() is 'Bring the words to what the published stories say; returns how many rows were written.';
select private.refresh_search();

create or replace function private.stories_page(
  page integer, size integer, search text, community uuid, organisation uuid, theme uuid
) returns jsonb
  language plpgsql stable security definer set search_path = ''
  -- The planner does not count what it costs to fetch long words from where they are stored apart, and would read them all;
  -- with too little memory the index forgets which stories it found, and they are read to be looked at again.
  set enable_seqscan = off set work_mem = '64MB' set jit = off
as $$
declare
  searched boolean := nullif(btrim(search), '') is not null;
  -- Only what is asked for stands in the statement, so that each question has the plan that fits it.
  conditions text := ''
    || case when searched then
      ' and s.id in (select w.story_id from private.story_search w where w.words @@ websearch_to_tsquery(''pg_catalog.english'', $1))'
      else '' end
    || case when community is not null then ' and s.community_id = $2' else '' end
    || case when organisation is not null then ' and s.organisation_id = $3' else '' end
    || case when theme is not null then
      ' and s.eff_ai_until > now() and s.id in (select i.story_id from public.interview_themes t '
      'join public.story_interviews i on i.interview_id = t.interview_id where t.theme_id = $4)' else '' end;
  total bigint;
  ids uuid[];
  rows jsonb;
begin
  if (page >= 1 and size between 1 and 100) is not true then
    raise exception 'page begins at 1 and size is between 1 and 100' using errcode = 'invalid_parameter_value';
  end if;
  -- A search is done once, for the total and the page; a list has an index for each.
  execute format(
    'with found as %s (select s.id, s.published_at from private.seen_stories s where true%s) '
    'select (select count(*) from found), array(select f.id from found f order by f.published_at desc, f.id limit $5 offset $6)',
    case when searched then 'materialized' else 'not materialized' end, conditions)
    into total, ids using search, community, organisation, theme, size, (page - 1) * size::bigint;
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', s.id, 'title', s.title, 'copy', s.copy, 'video_url', s.video_url, 'privacy', s.privacy, 'language', s.language,
    'recorded_on', s.recorded_on, 'published_at', s.published_at, 'community_id', s.community_id,
    'organisation_id', s.organisation_id,
    'authors', private.authors_of(s.id),
    'community', (select jsonb_build_object('name', c.name, 'slug', c.slug) from public.communities c where c.id = s.community_id),
    'image', (
      select private.media_place(m) from public.media_assets m
      where m.story_id = s.id and m.role = 'story_image' and m.source_deleted_at is null order by m.position limit 1
    )
  ) order by i.place), '[]')
  into rows
  from unnest(ids) with ordinality i (id, place) join private.seen_stories s on s.id = i.id;
  return jsonb_build_object('total', total, 'page', page, 'size', size, 'stories', rows);
end;
$$;

revoke all on function private.keep_search(), private.refresh_search() from public, anon, authenticated, service_role;
