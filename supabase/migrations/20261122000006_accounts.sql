-- Accounts and what they belong to: profiles, members of organisations, projects and communities, cultural protocols,
-- and the claim by which an account becomes one with a storyteller.
--
-- What belongs here: who may be whom, and what a migrated table needs beside its migrated columns for that. What does
-- not: consent and stories (07), the audit and the freeze (08), what anybody may see of it (09, 10).
--
-- Invariants: a storyteller is a person and needs no account; deleting an account deletes no storyteller; a claim code
-- is kept only as a hash; nothing here is granted (10_policies does). Re-runnable.
create or replace function private.read_committed() returns void
  language plpgsql stable security definer set search_path = ''
as $$
begin
  -- A lock waits for the other session in every isolation level, but only READ COMMITTED then sees what it did: in the
  -- others a withdrawal beside a new authorship would leave the story open.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'consent, privacy, reviews and shares are changed in READ COMMITTED transactions only'
      using errcode = 'invalid_transaction_state';
  end if;
end;
$$;
revoke all on function private.read_committed() from public, anon, authenticated, service_role;

create table if not exists public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  display_name text not null check (length(btrim(display_name)) between 1 and 200),
  bio text,
  languages text[] not null default '{}',
  preferences jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table public.profiles is 'Accounts of people who sign in. An account is not a storyteller until it has claimed one.';

create table if not exists public.communities (
  id uuid primary key default gen_random_uuid(),
  name text not null check (btrim(name) <> ''),
  slug text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  kind text not null default 'cultural' check (kind in ('geographic', 'thematic', 'cultural', 'organisational')),
  description text,
  governance text not null default 'elder_council'
    check (governance in ('consensus', 'majority', 'elder_council', 'representative', 'custom')),
  parent_id uuid references public.communities (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (parent_id <> id)
);
comment on table public.communities is 'Communities. None is migrated: the base has no such table, and none is guessed from text.';
create index if not exists communities_parent_id_idx on public.communities (parent_id);

create table if not exists public.community_members (
  id uuid primary key default gen_random_uuid(),
  community_id uuid not null references public.communities (id) on delete cascade,
  profile_id uuid not null references public.profiles (id) on delete cascade,
  role text not null default 'guest' check (role in ('elder', 'steward', 'member', 'guest')),
  joined_at timestamptz not null default now(),
  approved_at timestamptz,
  approved_by uuid references public.profiles (id) on delete set null,
  unique (community_id, profile_id)
);
comment on table public.community_members is 'Who belongs to a community. Without approved_at it is a request to join; guests see no more than the public.';
create index if not exists community_members_profile_id_idx on public.community_members (profile_id);
create index if not exists community_members_approved_by_idx on public.community_members (approved_by);

create table if not exists public.organisation_members (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations (id) on delete cascade,
  profile_id uuid not null references public.profiles (id) on delete cascade,
  role text not null default 'viewer' check (role in ('owner', 'admin', 'member', 'viewer')),
  invited_by uuid references public.profiles (id) on delete set null,
  joined_at timestamptz not null default now(),
  unique (organisation_id, profile_id)
);
comment on table public.organisation_members is 'Who belongs to an organisation.';
create index if not exists organisation_members_profile_id_idx on public.organisation_members (profile_id);
create index if not exists organisation_members_invited_by_idx on public.organisation_members (invited_by);

create table if not exists public.project_members (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references public.projects (id) on delete cascade,
  profile_id uuid not null references public.profiles (id) on delete cascade,
  role text not null default 'viewer' check (role in ('owner', 'admin', 'editor', 'viewer')),
  added_by uuid references public.profiles (id) on delete set null,
  added_at timestamptz not null default now(),
  unique (project_id, profile_id)
);
comment on table public.project_members is 'Who works in a project. It opens no story: only consent and privacy do.';
create index if not exists project_members_profile_id_idx on public.project_members (profile_id);
create index if not exists project_members_added_by_idx on public.project_members (added_by);

create table if not exists public.organisation_api_keys (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations (id) on delete cascade,
  name text not null check (btrim(name) <> ''),
  key_hash bytea not null unique check (length(key_hash) = 32),
  permissions text[] not null default '{}',
  is_active boolean not null default true,
  expires_at timestamptz,
  last_used_at timestamptz,
  created_by uuid references public.profiles (id) on delete set null,
  created_at timestamptz not null default now()
);
comment on table public.organisation_api_keys is 'Keys of organisations, only as hashes, readable by the service role alone.';
create index if not exists organisation_api_keys_organisation_id_idx on public.organisation_api_keys (organisation_id);
create index if not exists organisation_api_keys_created_by_idx on public.organisation_api_keys (created_by);

create table if not exists public.cultural_protocols (
  id uuid primary key default gen_random_uuid(),
  community_id uuid not null references public.communities (id) on delete cascade,
  name text not null check (btrim(name) <> ''),
  description text,
  enforcement text not null default 'strict' check (enforcement in ('advisory', 'required', 'strict')),
  privacy text not null default 'community' check (privacy in ('public', 'community', 'organisation', 'private')),
  is_active boolean not null default true,
  created_by uuid references public.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table public.cultural_protocols is
  'A community''s rules for its stories: advisory is shown, required demands an elder''s approval, strict also limits who may see to privacy.';
create index if not exists cultural_protocols_community_id_idx on public.cultural_protocols (community_id);
create index if not exists cultural_protocols_created_by_idx on public.cultural_protocols (created_by);

-- What the app adds to migrated people: never written by the loader, so that a re-migration leaves it alone.
alter table public.storytellers
  add column if not exists profile_id uuid references public.profiles (id) on delete set null,
  add column if not exists community_id uuid references public.communities (id) on delete set null,
  add column if not exists privacy text not null default 'private',
  add column if not exists deceased boolean not null default false,
  add column if not exists show_name boolean not null default false,
  add column if not exists show_photo boolean not null default false,
  add column if not exists show_bio boolean not null default false,
  add column if not exists show_organisation boolean not null default false,
  add column if not exists show_location boolean not null default false;
alter table public.storytellers drop constraint if exists storytellers_privacy_check;
alter table public.storytellers add constraint storytellers_privacy_check
  check (privacy in ('public', 'community', 'organisation', 'private'));
create index if not exists storytellers_profile_id_idx on public.storytellers (profile_id);
create index if not exists storytellers_community_id_idx on public.storytellers (community_id);
comment on column public.storytellers.privacy is 'The widest circle this person allows for any story of theirs; private until they say otherwise.';
comment on column public.storytellers.profile_id is 'The account that has claimed this person, confirmed by a steward.';

alter table public.organisations
  add column if not exists description text,
  add column if not exists website text;
alter table public.projects
  add column if not exists description text,
  add column if not exists is_public boolean not null default false;

create table if not exists public.storyteller_claims (
  id uuid primary key default gen_random_uuid(),
  storyteller_id uuid not null references public.storytellers (id) on delete cascade,
  code_hash bytea not null unique check (length(code_hash) = 32),
  expires_at timestamptz not null,
  issued_at timestamptz not null default now(),
  claimed_by uuid references public.profiles (id) on delete set null,
  claimed_at timestamptz,
  confirmed_by uuid references public.profiles (id) on delete set null,
  confirmed_at timestamptz,
  refused_at timestamptz,
  check ((confirmed_at is null) or (claimed_at is not null)),
  check (num_nonnulls(confirmed_at, refused_at) < 2)
);
comment on table public.storyteller_claims is
  'One-time codes by which an account claims a storyteller: 128 bits, kept only as a SHA-256, then confirmed by a steward.';
create index if not exists storyteller_claims_storyteller_id_idx on public.storyteller_claims (storyteller_id);
create index if not exists storyteller_claims_claimed_by_idx on public.storyteller_claims (claimed_by);
create index if not exists storyteller_claims_confirmed_by_idx on public.storyteller_claims (confirmed_by);

create table if not exists public.claim_attempts (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles (id) on delete cascade,
  at timestamptz not null default now()
);
comment on table public.claim_attempts is 'Every try at a claim code, right or wrong: five an hour are allowed.';
create index if not exists claim_attempts_profile_id_idx on public.claim_attempts (profile_id, at);

create table if not exists public.platform_config (
  id uuid primary key default gen_random_uuid(),
  key text not null unique check (key ~ '^[a-z_]+$'),
  value jsonb not null,
  is_public boolean not null default false,
  description text,
  updated_at timestamptz not null default now()
);
comment on table public.platform_config is 'Settings of the app.';

do $$
declare
  name text;
begin
  foreach name in array array[
    'profiles', 'communities', 'community_members', 'organisation_members', 'project_members', 'organisation_api_keys',
    'cultural_protocols', 'storyteller_claims', 'claim_attempts', 'platform_config'
  ] loop
    execute format('alter table public.%I enable row level security', name);
    execute format('revoke all on table public.%I from public, anon, authenticated, service_role', name);
  end loop;
end;
$$
