-- The raw records: every record of the base exactly as Airtable delivered it (schema airtable).
--
-- What belongs here: what came from Airtable, untouched. What does not: anything mapped, cleaned or decided.
--
-- Invariants: raw is the exact slice of the response text and sha256 is of its UTF-8 bytes; fields is derived from it
-- for queries only, and lossy names the fields in which fields differs from raw, because jsonb cannot hold them (NUL,
-- lone surrogates, numbers beyond numeric). Nothing is ever deleted here: what has gone from the base gets
-- source_deleted_at. Only the service role may read. Re-runnable.
create table if not exists airtable.exports (
  export_id text primary key,
  base_id text not null,
  final boolean not null,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  manifest jsonb not null,
  loaded_at timestamptz not null default now()
);
comment on table airtable.exports is 'Every export that was loaded, with its manifest.';

create table if not exists airtable.metadata (
  export_id text primary key references airtable.exports (export_id),
  base_id text not null,
  raw text not null,
  sha256 bytea not null check (sha256 = sha256(convert_to(raw, 'UTF8')))
);
comment on table airtable.metadata is 'The base''s tables and fields as delivered, per export.';

create table if not exists airtable.records (
  base_id text not null,
  table_id text not null,
  record_id text not null,
  created_time timestamptz not null,
  raw text not null,
  fields jsonb not null,
  lossy text[] not null default '{}',
  -- convert_to and never raw::bytea: that cast reads backslashes and gives another hash.
  sha256 bytea not null check (sha256 = sha256(convert_to(raw, 'UTF8'))),
  -- Of raw without the addresses of files, which Airtable signs anew with every answer: tells whether it changed.
  content_sha256 bytea not null check (length(content_sha256) = 32),
  first_export_id text not null,
  export_id text not null,
  source_deleted_at timestamptz,
  primary key (base_id, table_id, record_id)
);
comment on table airtable.records is 'Every record as delivered; export_id is the export that brought the present text.';
create index if not exists records_gone_idx on airtable.records (base_id, table_id, record_id)
  where source_deleted_at is not null;

create table if not exists airtable.comments (
  base_id text not null,
  table_id text not null,
  record_id text not null,
  comment_id text not null,
  raw text not null,
  sha256 bytea not null check (sha256 = sha256(convert_to(raw, 'UTF8'))),
  first_export_id text not null,
  export_id text not null,
  source_deleted_at timestamptz,
  primary key (base_id, table_id, record_id, comment_id)
);
comment on table airtable.comments is 'Comments on records as delivered.';

create table if not exists airtable.attachments (
  base_id text not null,
  table_id text not null,
  record_id text not null,
  field_id text not null,
  attachment_id text not null,
  filename text,
  size bigint,
  content_type text,
  file_sha256 text check (file_sha256 ~ '^[0-9a-f]{64}$'),
  object_key text,
  problem text,
  entry_sha256 bytea not null,
  first_export_id text not null,
  export_id text not null,
  source_deleted_at timestamptz,
  primary key (base_id, table_id, record_id, field_id, attachment_id)
);
comment on table airtable.attachments is
  'Inventory of the files of the base''s own attachment fields; a file that could not be had has a problem.';

alter table airtable.exports enable row level security;
alter table airtable.metadata enable row level security;
alter table airtable.records enable row level security;
alter table airtable.comments enable row level security;
alter table airtable.attachments enable row level security;

revoke all on all tables in schema airtable from public, anon, authenticated, service_role;
grant select on all tables in schema airtable to service_role;
