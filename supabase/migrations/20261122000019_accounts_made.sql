-- Which accounts the migration made for whom, and what became of them.
--
-- What belongs here: ids and states. What does not: e-mail addresses (public.storyteller_contacts and the platform's
-- auth.users hold them), claims that people make with a code (06).
--
-- Invariants: a row is written before the account is asked for (intended), so that a crash in between leaves no account that
-- nobody knows of; of each storyteller at most one account is made; no restore touches this table, because the accounts lie
-- outside what a restore brings back. No foreign keys: the line outlives the storyteller and the account. Re-runnable.
create table if not exists migration.accounts (
  storyteller_id uuid primary key,
  user_id uuid not null unique,
  state text not null check (state in ('intended', 'made', 'linked', 'disabled', 'deleted')),
  run_id text,
  intended_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp(),
  invited_at timestamptz
);
comment on table migration.accounts is
  'Accounts that the migration made for storytellers: intended, made, linked to them, disabled, deleted. Ids alone.';
create index if not exists accounts_run_id_idx on migration.accounts (run_id);
alter table migration.accounts enable row level security;
revoke all on table migration.accounts from public, anon, authenticated, service_role;
-- As 14 does when it runs again: 17 made a sequence.
revoke all on all sequences in schema migration from public, anon, authenticated, service_role;
