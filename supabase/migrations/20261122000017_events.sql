-- What was done to this database, by whom, in which run, and how it ended.
--
-- What belongs here: the record of actions. What does not: what people write (audit), what a load counted (migration.loads).
--
-- Invariants: it only grows; it holds names, ids, counts and times, never a word of a story; no API role reads it.
-- Re-runnable.
create table if not exists migration.events (
  event_id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  action text not null check (action ~ '^[a-z_]{2,40}$'),
  outcome text not null check (outcome in ('begun', 'done', 'refused', 'failed')),
  who text not null,
  run_id text,
  detail jsonb not null default '{}'::jsonb check (jsonb_typeof(detail) = 'object')
);
comment on table migration.events is 'Every action of the migration on this database: who, what, which run, how it ended. Only grows.';
create index if not exists events_action_idx on migration.events (action, at);
alter table migration.events enable row level security;
revoke all on table migration.events from public, anon, authenticated, service_role;

create or replace function private.keep_events() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  -- The way back of a restore takes out again what the restore had brought back.
  if private.is_restore() then
    return null;
  end if;
  raise exception 'migration.events only grows' using errcode = 'insufficient_privilege';
end;
$$;
revoke all on function private.keep_events() from public, anon, authenticated, service_role;
create or replace trigger keep_events before update or delete or truncate on migration.events
  for each statement execute function private.keep_events();
