-- The cut-overs of this database and the steps of each.
--
-- What belongs here: what a cut-over must know of itself after its process was killed. What does not: the freeze and the
-- switch (18), which say how far it came: a load is committed together with "held", a switch together with its row.
--
-- Invariants: one cut-over at a time is open; no restore touches these rows; no API role reads them. Re-runnable.
create table if not exists migration.cutovers (
  cutover_id text primary key,
  began_at timestamptz not null default clock_timestamp(),
  who text not null,
  state text not null default 'open' check (state in ('open', 'returning', 'done', 'returned', 'abandoned')),
  planned_end timestamptz not null,
  watch_minutes numeric not null check (watch_minutes >= 0),
  token bigint,
  checkpoint text,
  export_id text,
  -- Its runs in Dagster: the first, and those that went on with it.
  runs text[] not null default '{}',
  ended_at timestamptz,
  why text,
  check ((state in ('open', 'returning')) = (ended_at is null))
);
comment on table migration.cutovers is 'Every cut-over of this database: who, which runs, which checkpoint leads back, how it ended.';
create unique index if not exists cutovers_open_idx on migration.cutovers ((true)) where ended_at is null;

create table if not exists migration.cutover_steps (
  cutover_id text not null references migration.cutovers (cutover_id),
  step text not null,
  run_id text not null,
  began_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  outcome text check (outcome in ('done', 'failed')),
  facts jsonb not null default '{}'::jsonb,
  primary key (cutover_id, step),
  check ((outcome is null) = (ended_at is null))
);
comment on table migration.cutover_steps is 'The steps of each cut-over, with their times: counts and ids, no words.';
alter table migration.cutovers enable row level security;
alter table migration.cutover_steps enable row level security;
revoke all on table migration.cutovers, migration.cutover_steps from public, anon, authenticated, service_role;
