-- Consent, review, and everything that hangs on a story: versions, responses, analysis, insights, value, erasure.
--
-- What belongs here: the tables and the constraints that no application may be trusted with (shares add up, an insight
-- stands on three validated stories). What does not: who may see what (09, 10), the audit (08).
--
-- Invariants: one row of consents per person, purpose and story (or all stories), its history in consent_events; a
-- story lands closed; nothing here is granted (10_policies does). Re-runnable.
alter table public.stories
  add column if not exists community_id uuid references public.communities (id) on delete restrict,
  add column if not exists organisation_id uuid references public.organisations (id) on delete set null,
  add column if not exists project_id uuid references public.projects (id) on delete set null,
  add column if not exists created_by uuid references public.profiles (id) on delete set null,
  add column if not exists sensitivity text not null default 'standard',
  add column if not exists requires_elder_review boolean not null default false,
  add column if not exists published_at timestamptz,
  add column if not exists language text not null default 'en',
  -- The consent rule's result, kept by triggers (09): closed until the rule has said otherwise.
  add column if not exists eff_limits smallint not null default 4,
  add column if not exists eff_until timestamptz not null default '-infinity',
  add column if not exists eff_ai_until timestamptz not null default '-infinity';
alter table public.stories drop constraint if exists stories_sensitivity_check;
alter table public.stories add constraint stories_sensitivity_check
  check (sensitivity in ('standard', 'sensitive', 'sacred'));
alter table public.stories drop constraint if exists stories_eff_limits_check;
alter table public.stories add constraint stories_eff_limits_check check (eff_limits between 0 and 4);
do $$
begin
  -- Published by hand under the version before. As the loader: it is not somebody's change.
  perform set_config('migration.writer', 'on', true);
  update public.stories set published_at = updated_at where status = 'published' and published_at is null;
  perform set_config('migration.writer', '', true);
end;
$$;
alter table public.stories drop constraint if exists stories_published_at_check;
alter table public.stories add constraint stories_published_at_check
  check ((status = 'published') = (published_at is not null));
create index if not exists stories_community_id_idx on public.stories (community_id, published_at desc, id)
  include (eff_limits, eff_until, organisation_id);
create index if not exists stories_organisation_id_idx on public.stories (organisation_id, published_at desc, id)
  include (eff_limits, eff_until, community_id);
create index if not exists stories_listed_idx on public.stories (published_at desc, id)
  include (eff_limits, eff_until, community_id, organisation_id) where published_at is not null;
create index if not exists stories_project_id_idx on public.stories (project_id);
create index if not exists stories_created_by_idx on public.stories (created_by);
comment on column public.stories.eff_limits is
  'Kept by triggers, from private.story_rule: bit 1 = community members only, bit 2 = organisation members only, 4 = closed; 3 = members of both.';
comment on column public.stories.eff_until is 'Kept by triggers: until when eff_limits may be believed, so that an expiry needs no job.';
comment on column public.stories.eff_ai_until is 'Kept by triggers: until when the story is open and every storyteller''s consent to ai_analysis holds.';
comment on column public.stories.status is 'Published only by ledger-assets publish or the service role; never by the migration.';

alter table public.quotes
  add column if not exists story_id uuid references public.stories (id) on delete set null,
  add column if not exists featured boolean not null default false;
create index if not exists quotes_story_id_idx on public.quotes (story_id);
comment on column public.quotes.story_id is 'The story beside which the app may show this quote; NULL: nowhere.';

create table if not exists public.consents (
  id uuid primary key default gen_random_uuid(),
  airtable_base_id text,
  airtable_table_id text,
  airtable_record_id text,
  airtable_created_at timestamptz,
  export_id text,
  source_hash bytea,
  locally_changed boolean not null default false,
  source_deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  storyteller_id uuid not null references public.storytellers (id) deferrable initially immediate,
  story_id uuid references public.stories (id) on delete cascade deferrable initially immediate,
  purpose text not null check (purpose in (
    'public_sharing', 'community_sharing', 'organisation_sharing', 'ai_analysis', 'commercial_use', 'posthumous'
  )),
  state text not null check (state in ('given', 'withdrawn')),
  expires_at timestamptz,
  evidence_kind text not null check (evidence_kind in ('airtable', 'form', 'recording', 'letter', 'spoken', 'app')),
  evidence text,
  recorded_by uuid references public.profiles (id) on delete set null
);
alter table public.consents drop constraint if exists consents_migrated_check;
alter table public.consents add constraint consents_migrated_check
  check ((evidence_kind = 'airtable') = (airtable_record_id is not null));
-- Migrated evidence stands in rows of its own, which nobody but the loader changes: a withdrawal is a row beside it, and
-- one withdrawn row outweighs any number of given ones. So a later load can never collide with what a person recorded.
create unique index if not exists consents_one_per_purpose on public.consents (storyteller_id, purpose, story_id)
  nulls not distinct where evidence_kind <> 'airtable';
create index if not exists consents_storyteller_id_idx on public.consents (storyteller_id, purpose);
create index if not exists consents_story_id_idx on public.consents (story_id);
create index if not exists consents_recorded_by_idx on public.consents (recorded_by);
comment on table public.consents is
  'What a person has consented to, for one purpose, for one story or (story_id NULL) for all of theirs. No purpose implies another, and one withdrawn row outweighs all given ones.';
comment on column public.consents.evidence is 'Where the evidence lies, never the evidence itself.';

create table if not exists public.consent_events (
  id uuid primary key default gen_random_uuid(),
  consent_id uuid not null,
  storyteller_id uuid not null references public.storytellers (id) on delete cascade deferrable initially immediate,
  story_id uuid,
  purpose text not null,
  event text not null check (event in ('given', 'withdrawn', 'changed', 'source_gone', 'deleted')),
  expires_at timestamptz,
  evidence_kind text,
  evidence text,
  at timestamptz not null default now(),
  who uuid,
  run text
);
comment on table public.consent_events is 'Every giving, withdrawal and change of a consent, written by trigger and never altered.';
create index if not exists consent_events_consent_id_idx on public.consent_events (consent_id, at);
create index if not exists consent_events_storyteller_id_idx on public.consent_events (storyteller_id, at);

create table if not exists public.elder_review_queue (
  id uuid primary key default gen_random_uuid(),
  story_id uuid not null unique references public.stories (id) on delete cascade,
  state text not null default 'pending'
    check (state in ('pending', 'in_review', 'approved', 'rejected', 'needs_consultation')),
  requested_by uuid references public.profiles (id) on delete set null,
  reviewer_id uuid references public.profiles (id) on delete set null,
  note text,
  requested_at timestamptz not null default now(),
  decided_at timestamptz
);
comment on table public.elder_review_queue is 'A story''s review by its community''s elders; while it stands here unapproved the story is closed.';
create index if not exists elder_review_queue_requested_by_idx on public.elder_review_queue (requested_by);
create index if not exists elder_review_queue_reviewer_id_idx on public.elder_review_queue (reviewer_id);

create table if not exists public.story_versions (
  id uuid primary key default gen_random_uuid(),
  story_id uuid not null references public.stories (id) on delete cascade,
  version integer not null check (version > 0),
  title text,
  copy text,
  transcript text,
  replaced_at timestamptz not null default now(),
  replaced_by uuid,
  run text,
  unique (story_id, version)
);
comment on table public.story_versions is 'A story''s words before each change of them, written by trigger. Only its storytellers may read them.';

create table if not exists public.story_reactions (
  id uuid primary key default gen_random_uuid(),
  story_id uuid not null references public.stories (id) on delete cascade,
  profile_id uuid not null references public.profiles (id) on delete cascade,
  kind text not null check (kind in ('heart', 'thanks', 'strength', 'sorry', 'learned')),
  created_at timestamptz not null default now(),
  unique (story_id, profile_id, kind)
);
comment on table public.story_reactions is 'Reactions to stories.';
create index if not exists story_reactions_profile_id_idx on public.story_reactions (profile_id);

create table if not exists public.story_comments (
  id uuid primary key default gen_random_uuid(),
  story_id uuid not null references public.stories (id) on delete cascade,
  profile_id uuid not null references public.profiles (id) on delete cascade,
  parent_id uuid references public.story_comments (id) on delete cascade,
  body text not null check (length(btrim(body)) between 1 and 10000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table public.story_comments is 'Comments on stories; they go with the account that wrote them.';
create index if not exists story_comments_story_id_idx on public.story_comments (story_id, created_at);
create index if not exists story_comments_profile_id_idx on public.story_comments (profile_id);
create index if not exists story_comments_parent_id_idx on public.story_comments (parent_id);

create table if not exists public.story_views (
  id bigint generated always as identity primary key,
  story_id uuid not null references public.stories (id) on delete cascade,
  viewer_id uuid references public.profiles (id) on delete set null,
  at timestamptz not null default now()
);
comment on table public.story_views is 'One row per view, for the storytellers'' own counts.';
create index if not exists story_views_story_id_idx on public.story_views (story_id, at);
create index if not exists story_views_viewer_id_idx on public.story_views (viewer_id);

create table if not exists public.story_analysis (
  id uuid primary key default gen_random_uuid(),
  story_id uuid not null references public.stories (id) on delete cascade,
  kind text not null check (kind in ('sentiment', 'themes', 'impact', 'cultural', 'custom')),
  result jsonb not null,
  confidence numeric(4, 3) check (confidence between 0 and 1),
  made_by text,
  validated_at timestamptz,
  validated_by uuid references public.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  unique (story_id, kind)
);
comment on table public.story_analysis is 'What a machine said of a story. Visible only while every storyteller''s consent to ai_analysis holds.';
create index if not exists story_analysis_validated_by_idx on public.story_analysis (validated_by);

create table if not exists public.community_insights (
  id uuid primary key default gen_random_uuid(),
  community_id uuid not null references public.communities (id) on delete cascade,
  kind text not null check (btrim(kind) <> ''),
  result jsonb not null,
  period_start date,
  period_end date,
  is_public boolean not null default false,
  created_at timestamptz not null default now(),
  check (period_start <= period_end)
);
comment on table public.community_insights is 'What is said of a community from its stories: only from three validated stories on, all of them consenting.';
create index if not exists community_insights_community_id_idx on public.community_insights (community_id);

create table if not exists public.community_insight_stories (
  id uuid primary key default gen_random_uuid(),
  insight_id uuid not null references public.community_insights (id) on delete cascade,
  -- No cascade on the story: an insight must not outlive a story that it was made from.
  story_id uuid not null references public.stories (id),
  unique (insight_id, story_id)
);
comment on table public.community_insight_stories is 'The stories that an insight was made from.';
create index if not exists community_insight_stories_story_id_idx on public.community_insight_stories (story_id);

create table if not exists public.value_events (
  id uuid primary key default gen_random_uuid(),
  kind text not null check (kind in (
    'grant_funded', 'media_license', 'policy_influence', 'research_citation', 'community_benefit', 'advocacy_use',
    'public_presentation', 'donation', 'sponsorship', 'revenue_share', 'other'
  )),
  story_id uuid references public.stories (id) on delete set null,
  community_id uuid references public.communities (id) on delete restrict,
  project_id uuid references public.projects (id) on delete restrict,
  organisation_id uuid references public.organisations (id) on delete restrict,
  amount numeric(12, 2) not null check (amount > 0),
  currency text not null default 'AUD' check (currency ~ '^[A-Z]{3}$'),
  description text,
  occurred_on date not null default current_date,
  created_at timestamptz not null default now()
);
comment on table public.value_events is 'Value that came of stories, in money.';
create index if not exists value_events_story_id_idx on public.value_events (story_id);
create index if not exists value_events_community_id_idx on public.value_events (community_id, occurred_on);
create index if not exists value_events_project_id_idx on public.value_events (project_id);
create index if not exists value_events_organisation_id_idx on public.value_events (organisation_id, occurred_on);

create table if not exists public.value_distributions (
  id uuid primary key default gen_random_uuid(),
  event_id uuid not null references public.value_events (id) on delete restrict,
  recipient text not null check (recipient in ('storyteller', 'community', 'project', 'organisation', 'platform')),
  storyteller_id uuid references public.storytellers (id) on delete restrict deferrable initially immediate,
  community_id uuid references public.communities (id) on delete restrict,
  project_id uuid references public.projects (id) on delete restrict,
  organisation_id uuid references public.organisations (id) on delete restrict,
  amount numeric(12, 2) not null check (amount > 0),
  status text not null default 'pending' check (status in ('pending', 'processing', 'completed', 'failed')),
  note text,
  created_at timestamptz not null default now(),
  processed_at timestamptz,
  -- A recipient exists: it is a key to its own table, and exactly the one that is named.
  constraint value_distributions_recipient_exists check (
    (recipient = 'storyteller') = (storyteller_id is not null)
    and (recipient = 'community') = (community_id is not null)
    and (recipient = 'project') = (project_id is not null)
    and (recipient = 'organisation') = (organisation_id is not null)
  )
);
comment on table public.value_distributions is 'Who gets how much of an event; the shares add up to the event, to the cent, or the transaction fails.';
create index if not exists value_distributions_event_id_idx on public.value_distributions (event_id);
create index if not exists value_distributions_storyteller_id_idx on public.value_distributions (storyteller_id);
create index if not exists value_distributions_community_id_idx on public.value_distributions (community_id);
create index if not exists value_distributions_project_id_idx on public.value_distributions (project_id);
create index if not exists value_distributions_organisation_id_idx on public.value_distributions (organisation_id);

create table if not exists public.erasure_requests (
  id uuid primary key default gen_random_uuid(),
  storyteller_id uuid references public.storytellers (id) on delete set null,
  story_id uuid references public.stories (id) on delete set null,
  -- The account may be gone when the request is done: its id alone stays.
  requested_by uuid,
  scope text not null check (scope in ('account', 'story', 'storyteller')),
  state text not null default 'requested' check (state in ('requested', 'done', 'refused')),
  reason text,
  requested_at timestamptz not null default now(),
  done_at timestamptz,
  counts jsonb,
  check ((state = 'requested') = (done_at is null)),
  check (scope <> 'story' or story_id is not null or state <> 'requested'),
  check (scope <> 'storyteller' or storyteller_id is not null or state <> 'requested')
);
comment on table public.erasure_requests is
  'What a person asks to be erased: account (the stories stay with the storyteller), one story, or the storyteller with all their words.';
create index if not exists erasure_requests_storyteller_id_idx on public.erasure_requests (storyteller_id);
create index if not exists erasure_requests_story_id_idx on public.erasure_requests (story_id);
create index if not exists erasure_requests_requested_by_idx on public.erasure_requests (requested_by);

create or replace function private.shares_add_up() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  event uuid;
  due numeric;
  shared numeric;
begin
  perform private.read_committed();
  foreach event in array array_remove(array[
    case when tg_table_name = 'value_events' then new.id end,
    case when tg_table_name = 'value_distributions' and tg_op <> 'DELETE' then (to_jsonb(new) ->> 'event_id')::uuid end,
    case when tg_table_name = 'value_distributions' and tg_op <> 'INSERT' then (to_jsonb(old) ->> 'event_id')::uuid end
  ], null) loop
    -- The lock makes two sessions that each add a fitting share wait for one another (a stronger one would wait for the
    -- other's foreign key, and both of them for ever).
    select e.amount into due from public.value_events e where e.id = event for no key update;
    continue when due is null;
    select sum(d.amount) into shared from public.value_distributions d where d.event_id = event;
    if shared is not null and shared <> due then
      raise exception 'the shares of value event % do not add up to its amount', event using errcode = 'check_violation',
        hint = 'write all shares of an event in one transaction';
    end if;
  end loop;
  return null;
end;
$$;
revoke all on function private.shares_add_up() from public, anon, authenticated, service_role;
drop trigger if exists shares_add_up on public.value_distributions;
create constraint trigger shares_add_up after insert or update or delete on public.value_distributions
  deferrable initially deferred for each row execute function private.shares_add_up();
drop trigger if exists shares_add_up on public.value_events;
create constraint trigger shares_add_up after update of amount on public.value_events
  deferrable initially deferred for each row execute function private.shares_add_up();

create or replace function private.insight_stands_on_three() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  insight uuid;
begin
  perform private.read_committed();
  foreach insight in array array_remove(array[
    case when tg_table_name = 'community_insights' then new.id end,
    case when tg_table_name = 'community_insight_stories' and tg_op <> 'DELETE' then (to_jsonb(new) ->> 'insight_id')::uuid end,
    case when tg_table_name = 'community_insight_stories' and tg_op <> 'INSERT' then (to_jsonb(old) ->> 'insight_id')::uuid end
  ], null) loop
    perform from public.community_insights i where i.id = insight for no key update;
    continue when not found;
    if (
      select count(distinct c.story_id) < 3
      from public.community_insight_stories c
      join public.community_insights i on i.id = c.insight_id
      join public.stories s on s.id = c.story_id and s.community_id = i.community_id
      where c.insight_id = insight
        and exists (select from public.story_analysis a where a.story_id = c.story_id and a.validated_at is not null)
    ) then
      raise exception 'community insight % needs at least three validated stories of its community', insight
        using errcode = 'check_violation';
    end if;
  end loop;
  return null;
end;
$$;
revoke all on function private.insight_stands_on_three() from public, anon, authenticated, service_role;
drop trigger if exists insight_stands_on_three on public.community_insights;
create constraint trigger insight_stands_on_three after insert or update of community_id on public.community_insights
  deferrable initially deferred for each row execute function private.insight_stands_on_three();
drop trigger if exists insight_stands_on_three on public.community_insight_stories;
create constraint trigger insight_stands_on_three after insert or update or delete on public.community_insight_stories
  deferrable initially deferred for each row execute function private.insight_stands_on_three();

do $$
declare
  name text;
begin
  foreach name in array array[
    'consents', 'consent_events', 'elder_review_queue', 'story_versions', 'story_reactions', 'story_comments',
    'story_views', 'story_analysis', 'community_insights', 'community_insight_stories', 'value_events',
    'value_distributions', 'erasure_requests'
  ] loop
    execute format('alter table public.%I enable row level security', name);
    execute format('revoke all on table public.%I from public, anon, authenticated, service_role', name);
  end loop;
end;
$$
