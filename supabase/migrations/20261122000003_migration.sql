-- The migration's own memory (schema migration): whose database this is, what was loaded, what a person must decide.
--
-- What belongs here: ids, counts, names and decisions. What does not: any cell's value.
--
-- Invariants: a database is claimed once; a finding keeps its id and its resolution over every later load; no API
-- role may read or write anything here. Re-runnable.
create table if not exists migration.target (
  only_row boolean primary key default true check (only_row),
  environment text not null,
  name text not null,
  base_id text not null,
  claimed_at timestamptz not null default now()
);
comment on table migration.target is 'Which environment and which base this database belongs to; claimed by the first load.';

create table if not exists migration.loads (
  load_id bigint generated always as identity primary key,
  run_id text not null,
  environment text not null,
  export_id text not null,
  ledger_id text,
  months text[],
  started_at timestamptz not null,
  committed_at timestamptz,
  counts jsonb not null default '{}'
);
comment on table migration.loads is 'Every committed load; months is NULL for a full one.';

create table if not exists migration.findings (
  id text primary key,
  base_id text not null,
  -- quarantine, conflict, duplicate, unmapped, missing_file, deleted, and what else a table module reports.
  kind text not null check (kind ~ '^[a-z_]+$'),
  table_name text,
  airtable_table_id text,
  record_id text,
  row_id uuid,
  field text,
  reason text not null,
  detail jsonb not null default '{}',
  first_load bigint not null references migration.loads (load_id),
  last_load bigint not null references migration.loads (load_id),
  status text not null default 'open' check (status in ('open', 'resolved', 'gone')),
  resolution text check (resolution in ('airtable', 'postgres', 'skip')),
  who text,
  note text,
  at timestamptz,
  check ((resolution is null) = (at is null) and (resolution is null) = (who is null)),
  check (status <> 'resolved' or resolution is not null)
);
comment on table migration.findings is 'What a person must look at; last_load is the load that last changed the finding.';
create index if not exists findings_first_load_idx on migration.findings (first_load);
create index if not exists findings_last_load_idx on migration.findings (last_load);

create table if not exists migration.reports (
  report_id bigint generated always as identity primary key,
  kind text not null,
  run_id text,
  export_id text,
  ledger_id text,
  made_at timestamptz not null default now(),
  passed boolean not null,
  document jsonb not null,
  page text
);
comment on table migration.reports is 'Proofs: the document, and the page that a person reads.';

alter table migration.target enable row level security;
alter table migration.loads enable row level security;
alter table migration.findings enable row level security;
alter table migration.reports enable row level security;

revoke all on all tables in schema migration from public, anon, authenticated, service_role;
revoke all on all sequences in schema migration from public, anon, authenticated, service_role;
