-- The freeze as a lease with a fencing token, and the one place where the app reads what is live.
--
-- What belongs here: whether a freeze holds, what it refuses, which source is live. What does not: who takes a freeze and
-- renews it (ledger_assets/freeze), who flips the switch (ledger_assets/switch).
--
-- Invariants: one function says whether writing is frozen; a token grows by one with every freeze and is never used
-- again; a freeze that is held cannot become so after its lease ran out; reading goes on, and a view is no error.
-- Re-runnable.
alter table migration.maintenance
  add column if not exists token bigint not null default 0,
  add column if not exists lease_until timestamptz,
  add column if not exists held boolean not null default false,
  add column if not exists cutover text;
alter table migration.maintenance drop constraint if exists maintenance_lease_check;
alter table migration.maintenance add constraint maintenance_lease_check check (lease_until is null or cutover is not null);
comment on column migration.maintenance.token is 'Fencing token: one more with every freeze, never used again.';
comment on column migration.maintenance.lease_until is 'A cut-over''s freeze lasts until then unless it is renewed. NULL: a manual one, which lasts until "until".';
comment on column migration.maintenance.held is 'From a load''s commit until the switch or a restored checkpoint: the freeze does not run out.';
comment on column migration.maintenance.cutover is 'The cut-over that holds the freeze.';
comment on column migration.maintenance.until is 'Of a manual freeze its end; of a lease the planned end, told to people only.';

create or replace function private.is_frozen(m migration.maintenance) returns boolean
  language sql volatile set search_path = ''
as $$
  select coalesce(m.frozen and (m.held or case
    when m.lease_until is not null then m.lease_until > clock_timestamp()
    else m.until is null or m.until > clock_timestamp() end), false)
$$;
comment on function private.is_frozen is 'The only place that says whether a freeze holds.';

create or replace function private.refuse_frozen() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  m migration.maintenance;
begin
  select * into m from migration.maintenance;
  if private.is_frozen(m) then
    if not private.is_loader() then
      raise exception using errcode = 'PT503',
        message = 'The archive cannot be changed right now: ' || m.reason,
        detail = 'until ' || coalesce(
          case when m.until > clock_timestamp() then to_char(m.until at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') end,
          'further notice'),
        hint = 'Reading goes on. Nothing of this change was saved: try again afterwards.';
    end if;
  elsif current_setting('transaction_isolation') <> 'read committed' and not private.is_loader() then
    -- Such a transaction sees the row as it was when it began: to lock it fails if the freeze came since.
    perform from migration.maintenance for share;
  end if;
  return null;
end;
$$;

-- Who is told to the app's own server alone: it is somebody's name, and the public needs only why and until when.
create or replace function private.maintenance_state() returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select case when private.is_frozen(m)
    then jsonb_build_object('frozen', true, 'reason', m.reason, 'since', m.since,
      'until', case when m.until > clock_timestamp() then m.until end)
      || case when current_setting('role') = 'service_role' then jsonb_build_object('who', m.who, 'cutover', m.cutover)
        else '{}' end
    else jsonb_build_object('frozen', false) end
  from migration.maintenance m
$$;

-- At commit and not before: a process that was stopped between its last statement and its commit must not hold a freeze
-- under which others have written meanwhile.
create or replace function private.hold_in_time() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  if new.lease_until is null or new.lease_until <= clock_timestamp() then
    raise exception using errcode = 'PT503', message = 'the lease of the freeze ran out before the commit';
  end if;
  return null;
end;
$$;
drop trigger if exists hold_in_time on migration.maintenance;
create constraint trigger hold_in_time after update of held on migration.maintenance
  deferrable initially deferred for each row when (new.held and not old.held) execute function private.hold_in_time();

-- A view during a freeze is not counted, and is no error.
create or replace function private.record_view(story uuid) returns boolean
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  insert into public.story_views (story_id, viewer_id)
  select v.id, (select p.id from public.profiles p where p.id = auth.uid()) from private.seen_stories v where v.id = story;
  return found;
exception when sqlstate 'PT503' then
  return false;
end;
$$;

create table if not exists migration.live (
  only_row boolean primary key default true check (only_row),
  source text not null default 'airtable' check (source in ('airtable', 'supabase')),
  -- One more with every flip, so that a message of an earlier flip is known as such.
  generation bigint not null default 0,
  switched_at timestamptz,
  who text,
  run_id text
);
comment on table migration.live is 'Which source is live for the app. One row; the app reads it by public.live_state().';
insert into migration.live default values on conflict do nothing;
alter table migration.live enable row level security;
revoke all on table migration.live from public, anon, authenticated, service_role;

create or replace function private.live_state() returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object('source', l.source, 'generation', l.generation, 'switched_at', l.switched_at)
  from migration.live l
$$;
create or replace function public.live_state() returns jsonb
  language sql stable security invoker set search_path = '' as $$ select private.live_state() $$;
comment on function public.live_state is 'Which source is live (airtable or supabase): the one place that the app reads.';

revoke all on function
  private.is_frozen(migration.maintenance), private.hold_in_time(), private.live_state(), public.live_state()
from public, anon, authenticated, service_role;
grant execute on function private.live_state(), public.live_state() to anon, authenticated, service_role;
-- Of the record (17): migration 14, run again, takes every sequence of the schema; so does this.
revoke all on all sequences in schema migration from public, anon, authenticated, service_role;
