-- The target tables of the migration (schema public), their keys, checks and closed doors.
--
-- What belongs here: the tables that ledger_assets/tables/ fills, one for one. What does not: accounts, consents,
-- policies (later migrations), the guards of migrated rows (05_guards), the raw records (02_airtable).
--
-- Invariants: every column that a ledger frame carries is here under the same name; foreign keys are deferrable,
-- because links are circular and cross months; nobody but the service role may read anything yet; re-runnable.
--
-- The first columns of every table say where its row came from: airtable_record_id and airtable_created_at are NULL
-- in tables derived from text, and of the record that holds the link in link tables. source_hash is of the row as the
-- ledger made it; locally_changed says that somebody other than the loader has changed it since.
create table if not exists public.organisations (
  id uuid primary key,
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
  name text not null unique check (name <> ''),
  kind text not null check (kind in ('community', 'government', 'nonprofit', 'company', 'other'))
);
comment on table public.organisations is 'Organisations, derived from text by the reviewed mapping file organisations.toml.';

create table if not exists public.projects (
  id uuid primary key,
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
  name text not null unique check (name <> ''),
  organisation_id uuid references public.organisations (id) deferrable initially immediate
);
comment on table public.projects is 'Projects, derived from text by the reviewed mapping file projects.toml.';
create index if not exists projects_organisation_id_idx on public.projects (organisation_id);

create table if not exists public.locations (
  id uuid primary key,
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
  name text not null unique check (name <> ''),
  kind text not null check (kind in ('town', 'city', 'island', 'region', 'country')),
  state text,
  country text not null check (country ~ '^[A-Z]{2}$')
);
comment on table public.locations is 'Places, derived from text by the reviewed mapping file locations.toml; the country is never guessed.';

create table if not exists public.storytellers (
  id uuid primary key,
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
  name text not null check (name <> ''),
  preferred_name text,
  project_id uuid references public.projects (id) deferrable initially immediate,
  project_text text,
  organisation_id uuid references public.organisations (id) deferrable initially immediate,
  organisation_text text,
  location_id uuid references public.locations (id) deferrable initially immediate,
  location_text text,
  role text,
  bio text,
  personal_quote text,
  reflection text,
  website_themes text[],
  tags text[],
  raw_media_url text,
  consent_status text,
  consent_preferences text,
  anonymity_preference text,
  sensitive boolean not null default true,
  on_website boolean not null default false,
  done boolean not null default false,
  recorded_on date
);
comment on table public.storytellers is 'People who told a story. A person is not an account: nobody here can sign in.';
create index if not exists storytellers_project_id_idx on public.storytellers (project_id);
create index if not exists storytellers_organisation_id_idx on public.storytellers (organisation_id);
create index if not exists storytellers_location_id_idx on public.storytellers (location_id);

create table if not exists public.storyteller_contacts (
  id uuid primary key,
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
  storyteller_id uuid not null references public.storytellers (id) deferrable initially immediate unique,
  email text,
  phone text,
  check (num_nonnulls(email, phone) > 0)
);
comment on table public.storyteller_contacts is 'How to reach a storyteller: apart from the person, so that reading one does not grant the other.';

create table if not exists public.stories (
  id uuid primary key,
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
  story_number bigint,
  title text,
  copy text,
  transcript text,
  video_url text,
  video_embed_code text,
  recorded_on date,
  source_status text,
  permissions text,
  watermark text,
  airtable_modified_at timestamptz,
  status text not null default 'draft' check (status in ('draft', 'pending_approval', 'published', 'archived')),
  privacy text not null default 'private' check (privacy in ('public', 'community', 'organisation', 'private'))
);
comment on table public.stories is 'Stories. Everything arrives as a private draft; the migration never publishes.';

create table if not exists public.interviews (
  id uuid primary key,
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
  file_name text,
  kind text check (kind in ('interview', 'photo', 'video')),
  transcript text,
  summary text,
  location_id uuid references public.locations (id) deferrable initially immediate,
  location_text text,
  project_id uuid references public.projects (id) deferrable initially immediate,
  project_text text,
  recorded_on date,
  video_draft_url text,
  is_processed boolean not null default false
);
comment on table public.interviews is 'Interviews and their transcripts: the records of the table Media.';
create index if not exists interviews_location_id_idx on public.interviews (location_id);
create index if not exists interviews_project_id_idx on public.interviews (project_id);

create table if not exists public.themes (
  id uuid primary key,
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
  name text not null check (name <> ''),
  description text
);
comment on table public.themes is 'Themes, one text per transcript as written by the analysis; never merged into a vocabulary.';

create table if not exists public.quotes (
  id uuid primary key,
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
  quote text not null check (quote <> ''),
  theme_text text,
  occurs_verbatim boolean,
  storyteller_id uuid references public.storytellers (id) deferrable initially immediate
);
comment on table public.quotes is 'Quotes, with whether their words occur in a transcript; a quote that does not is not evidence.';
create index if not exists quotes_storyteller_id_idx on public.quotes (storyteller_id);

create table if not exists public.media_assets (
  id uuid primary key,
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
  role text not null check (role in ('profile_image', 'story_image', 'consent_form', 'signature')),
  storyteller_id uuid references public.storytellers (id) deferrable initially immediate,
  story_id uuid references public.stories (id) deferrable initially immediate,
  position integer not null check (position > 0),
  attachment_id text not null,
  file_name text,
  content_type text,
  size_bytes bigint check (size_bytes >= 0),
  sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
  object_key text,
  check (num_nonnulls(storyteller_id, story_id) = 1 and (role = 'story_image') = (story_id is not null))
);
comment on table public.media_assets is 'Files, one row per use of an attachment; the bytes are in the object store by SHA-256.';
create index if not exists media_assets_storyteller_id_idx on public.media_assets (storyteller_id);
create index if not exists media_assets_story_id_idx on public.media_assets (story_id);

create table if not exists public.authorship (
  id uuid primary key,
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
  story_id uuid not null references public.stories (id) deferrable initially immediate,
  storyteller_id uuid not null references public.storytellers (id) deferrable initially immediate,
  position integer not null check (position > 0),
  unique (story_id, storyteller_id) deferrable initially immediate
);
comment on table public.authorship is 'Who told which story, in the order of the story''s own cell.';
create index if not exists authorship_storyteller_id_idx on public.authorship (storyteller_id);

create table if not exists public.story_interviews (
  id uuid primary key,
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
  story_id uuid not null references public.stories (id) deferrable initially immediate,
  interview_id uuid not null references public.interviews (id) deferrable initially immediate,
  position integer not null check (position > 0),
  unique (story_id, interview_id) deferrable initially immediate
);
comment on table public.story_interviews is 'Which interviews a story is made from.';
create index if not exists story_interviews_interview_id_idx on public.story_interviews (interview_id);

create table if not exists public.interview_storytellers (
  id uuid primary key,
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
  interview_id uuid not null references public.interviews (id) deferrable initially immediate,
  storyteller_id uuid not null references public.storytellers (id) deferrable initially immediate,
  position integer not null check (position > 0),
  unique (interview_id, storyteller_id) deferrable initially immediate
);
comment on table public.interview_storytellers is 'Who speaks in which interview.';
create index if not exists interview_storytellers_storyteller_id_idx on public.interview_storytellers (storyteller_id);

create table if not exists public.interview_themes (
  id uuid primary key,
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
  interview_id uuid not null references public.interviews (id) deferrable initially immediate,
  theme_id uuid not null references public.themes (id) deferrable initially immediate,
  position integer not null check (position > 0),
  unique (interview_id, theme_id) deferrable initially immediate
);
comment on table public.interview_themes is 'Which themes were found in which interview.';
create index if not exists interview_themes_theme_id_idx on public.interview_themes (theme_id);

create table if not exists public.quote_interviews (
  id uuid primary key,
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
  quote_id uuid not null references public.quotes (id) deferrable initially immediate,
  interview_id uuid not null references public.interviews (id) deferrable initially immediate,
  position integer not null check (position > 0),
  unique (quote_id, interview_id) deferrable initially immediate
);
comment on table public.quote_interviews is 'Which transcripts a quote refers to.';
create index if not exists quote_interviews_interview_id_idx on public.quote_interviews (interview_id);

comment on column public.storytellers.sensitive is 'From the field YJ (youth justice); true when the cell could not be read.';
comment on column public.storytellers.consent_status is 'Evidence exactly as delivered; no permission follows from it here.';
comment on column public.storytellers.consent_preferences is 'Evidence exactly as delivered; no permission follows from it here.';
comment on column public.storytellers.anonymity_preference is 'Evidence exactly as delivered; no permission follows from it here.';
comment on column public.storytellers.project_text is 'The cell exactly as delivered, also where no reviewed mapping knows it.';
comment on column public.storytellers.organisation_text is 'The cell exactly as delivered, also where no reviewed mapping knows it.';
comment on column public.storytellers.location_text is 'The cell exactly as delivered, also where no reviewed mapping knows it.';
comment on column public.interviews.project_text is 'The cell exactly as delivered, also where no reviewed mapping knows it.';
comment on column public.interviews.location_text is 'The cell exactly as delivered, also where no reviewed mapping knows it.';
comment on column public.stories.source_status is 'Airtable''s own Status; it never publishes anything here.';
comment on column public.stories.permissions is 'Evidence exactly as delivered; no permission follows from it here.';
comment on column public.quotes.occurs_verbatim is 'Whether the words occur in one of its transcripts, case, punctuation and white space aside; NULL: there is no transcript to look in.';
comment on column public.quotes.storyteller_id is 'Only when exactly one person is possible by the quote''s interviews.';
comment on column public.media_assets.sha256 is 'Of the file''s bytes; NULL: the file could not be had.';

alter table public.organisations enable row level security;
alter table public.projects enable row level security;
alter table public.locations enable row level security;
alter table public.storytellers enable row level security;
alter table public.storyteller_contacts enable row level security;
alter table public.stories enable row level security;
alter table public.interviews enable row level security;
alter table public.themes enable row level security;
alter table public.quotes enable row level security;
alter table public.media_assets enable row level security;
alter table public.authorship enable row level security;
alter table public.story_interviews enable row level security;
alter table public.interview_storytellers enable row level security;
alter table public.interview_themes enable row level security;
alter table public.quote_interviews enable row level security;

-- Explicit both ways: whether new tables are open to the API's roles is a setting of the Supabase project.
revoke all on table
  public.organisations,
  public.projects,
  public.locations,
  public.storytellers,
  public.storyteller_contacts,
  public.stories,
  public.interviews,
  public.themes,
  public.quotes,
  public.media_assets,
  public.authorship,
  public.story_interviews,
  public.interview_storytellers,
  public.interview_themes,
  public.quote_interviews
from public, anon, authenticated;
grant select, insert, update, delete on table
  public.organisations,
  public.projects,
  public.locations,
  public.storytellers,
  public.storyteller_contacts,
  public.stories,
  public.interviews,
  public.themes,
  public.quotes,
  public.media_assets,
  public.authorship,
  public.story_interviews,
  public.interview_storytellers,
  public.interview_themes,
  public.quote_interviews
to service_role;
