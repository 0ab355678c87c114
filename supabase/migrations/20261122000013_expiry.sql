-- A consent that ends by its date ends with an event, as one that is withdrawn does.
--
-- What belongs here: recording expiries. What does not: closing anything: the rule (09) reads the date itself, so that a
-- story closes to the second whether anybody has recorded the expiry or not.
--
-- Invariants: an expiry is recorded once, with the moment it happened; whatever changes or removes a consent records an
-- expiry that came before. Re-runnable.
alter table public.consent_events drop constraint if exists consent_events_event_check;
alter table public.consent_events add constraint consent_events_event_check
  check (event in ('given', 'withdrawn', 'changed', 'source_gone', 'deleted', 'expired'));
create unique index if not exists consent_events_expired_once on public.consent_events (consent_id, expires_at)
  where event = 'expired';
comment on column public.consent_events.at is 'When it happened: of an expiry the end date, whenever it was recorded.';
comment on table public.consent_events is 'Every giving, withdrawal, expiry and change of a consent, never altered.';

create or replace function private.record_expiry(c public.consents) returns void
  language sql volatile security definer set search_path = ''
as $$
  insert into public.consent_events
    (consent_id, storyteller_id, story_id, purpose, event, expires_at, evidence_kind, evidence, at, run)
  select c.id, c.storyteller_id, c.story_id, c.purpose, 'expired', c.expires_at, c.evidence_kind, c.evidence, c.expires_at,
    nullif(current_setting('migration.run', true), '')
  where c.state = 'given' and c.source_deleted_at is null and c.expires_at <= now()
    and exists (select from public.storytellers s where s.id = c.storyteller_id)
  on conflict do nothing
$$;

create or replace function private.record_expiries() returns bigint
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  due public.consents;
  recorded bigint := 0;
begin
  for due in
    select c.* from public.consents c
    where c.state = 'given' and c.source_deleted_at is null and c.expires_at <= now() and not exists (
      select from public.consent_events e
      where e.consent_id = c.id and e.expires_at = c.expires_at and e.event = 'expired'
    )
    order by c.expires_at, c.id
  loop
    perform private.record_expiry(due);
    recorded := recorded + 1;
  end loop;
  return recorded;
end;
$$;
comment on function private.record_expiries() is 'Record the expiry of every consent whose end date has come; returns how many were new.';

create or replace function private.keep_consent_event() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  c public.consents := case when tg_op = 'DELETE' then old else new end;
  happened text := case
    when tg_op = 'DELETE' then 'deleted'
    when tg_op = 'UPDATE' and new.state = old.state and new.source_deleted_at is not null and old.source_deleted_at is null
      then 'source_gone'
    when tg_op = 'UPDATE' and new.state = old.state then 'changed'
    else new.state
  end;
begin
  if tg_op = 'UPDATE' and (new.state, new.expires_at, new.evidence_kind, new.evidence, new.source_deleted_at, new.story_id, new.storyteller_id, new.purpose)
    is not distinct from (old.state, old.expires_at, old.evidence_kind, old.evidence, old.source_deleted_at, old.story_id, old.storyteller_id, old.purpose)
  then
    return null;
  end if;
  if tg_op <> 'INSERT' then
    perform private.record_expiry(old);
  end if;
  insert into public.consent_events
    (consent_id, storyteller_id, story_id, purpose, event, expires_at, evidence_kind, evidence, who, run)
  select c.id, c.storyteller_id, c.story_id, c.purpose, happened, c.expires_at, c.evidence_kind, c.evidence, auth.uid(),
    nullif(current_setting('migration.run', true), '')
  -- Gone with the person when a person is erased.
  where exists (select from public.storytellers s where s.id = c.storyteller_id);
  return null;
end;
$$;
revoke all on function private.record_expiry(public.consents), private.record_expiries(), private.keep_consent_event()
  from public, anon, authenticated, service_role
