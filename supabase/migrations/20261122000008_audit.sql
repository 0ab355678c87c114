-- What every writer meets: the audit, the versions of a story's words, consent's history, and the freeze.
--
-- What belongs here: triggers that hold for everybody, whatever the API allows. What does not: who may read what (10).
--
-- Invariants: every change of words, consent, value or access by anybody but the loader leaves both images in the
-- audit; the loader leaves lean lines that it writes itself (load/sql/audit.sql); images can be erased without the
-- line that says what happened; during a freeze nobody but the loader writes. Re-runnable.
create schema if not exists audit;
comment on schema audit is 'Every change of words, consent, value and access. Not exposed to the API.';
revoke all on schema audit from public, anon, authenticated, service_role;
grant usage on schema audit to service_role;

create table if not exists audit.log (
  log_id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  transaction_id bigint not null default (pg_current_xact_id()::text)::bigint,
  table_name text not null,
  row_id text,
  action text not null check (action in ('insert', 'update', 'delete', 'truncate', 'erase')),
  -- NULL: nobody who is signed in.
  who uuid,
  role text not null default current_setting('role'),
  session text not null default session_user,
  -- The run of the loader, or the person who ran the command, as it named itself.
  run text default nullif(current_setting('migration.run', true), ''),
  changed text[],
  -- More than one, and row_id NULL: rows that one statement of the loader made; their created_at is at.
  rows bigint not null default 1
);
comment on table audit.log is 'Who changed which row when. Holds no words: they stand in audit.images.';
create index if not exists log_row_idx on audit.log (table_name, row_id);
create index if not exists log_at_idx on audit.log (at);
create index if not exists log_who_idx on audit.log (who) where who is not null;

create table if not exists audit.images (
  log_id bigint primary key references audit.log (log_id),
  table_name text not null,
  row_id text not null,
  before jsonb,
  after jsonb
);
comment on table audit.images is 'The row before and after. Apart from the log, so that an erasure takes the words and leaves the fact.';
create index if not exists images_row_idx on audit.images (table_name, row_id);

alter table audit.log enable row level security;
alter table audit.images enable row level security;
revoke all on all tables in schema audit from public, anon, authenticated, service_role;
revoke all on all sequences in schema audit from public, anon, authenticated, service_role;
grant select on audit.log, audit.images to service_role;

create or replace function private.is_loader() returns boolean
  language sql stable set search_path = ''
as $$
  select coalesce(current_setting('migration.writer', true) = 'on', false)
    and pg_has_role(session_user, (select relowner from pg_catalog.pg_class where oid = 'public.stories'::regclass), 'MEMBER')
$$;
revoke all on function private.is_loader() from public, anon, authenticated, service_role;
comment on function private.is_loader() is 'A session that says so and may: no API session can be one.';

create or replace function private.write_audit() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  -- What triggers keep and nobody wrote.
  kept constant text[] := array['updated_at', 'locally_changed', 'eff_limits', 'eff_until', 'eff_ai_until'];
  before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  after jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  names text[];
  line bigint;
  subject text := coalesce(after ->> 'id', before ->> 'id');
begin
  if tg_op = 'UPDATE' then
    select array_agg(n.key order by n.key) into names
    from jsonb_each(after - kept) n where n.value is distinct from before -> n.key;
    if names is null then
      return null;
    end if;
  end if;
  insert into audit.log (table_name, row_id, action, who, changed)
  values (tg_table_name, subject, lower(tg_op), auth.uid(), names)
  returning log_id into line;
  insert into audit.images (log_id, table_name, row_id, before, after)
  values (line, tg_table_name, subject, before, after);
  return null;
end;
$$;

create or replace function private.write_audit_of_truncate() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into audit.log (table_name, action, who) values (tg_table_name, 'truncate', auth.uid());
  return null;
end;
$$;

create or replace function private.keep_version() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  -- The update has locked the story, so that two writers cannot count to the same number.
  insert into public.story_versions (story_id, version, title, copy, transcript, replaced_by, run)
  select old.id, coalesce(max(v.version), 0) + 1, old.title, old.copy, old.transcript, auth.uid(),
    nullif(current_setting('migration.run', true), '')
  from public.story_versions v where v.story_id = old.id;
  -- The elders approved other words.
  update public.elder_review_queue q set state = 'pending', decided_at = null
  where q.story_id = old.id and q.state = 'approved';
  return null;
end;
$$;
drop trigger if exists keep_version on public.stories;
create trigger keep_version after update of title, copy, transcript on public.stories for each row
  when ((old.title, old.copy, old.transcript) is distinct from (new.title, new.copy, new.transcript))
  execute function private.keep_version();

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
  insert into public.consent_events
    (consent_id, storyteller_id, story_id, purpose, event, expires_at, evidence_kind, evidence, who, run)
  select c.id, c.storyteller_id, c.story_id, c.purpose, happened, c.expires_at, c.evidence_kind, c.evidence, auth.uid(),
    nullif(current_setting('migration.run', true), '')
  -- Gone with the person when a person is erased.
  where exists (select from public.storytellers s where s.id = c.storyteller_id);
  return null;
end;
$$;
create or replace trigger keep_consent_event after insert or update or delete on public.consents
  for each row execute function private.keep_consent_event();

create or replace function private.touch() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

-- The one row that says whether writes are refused.
create table if not exists migration.maintenance (
  only_row boolean primary key default true check (only_row),
  frozen boolean not null default false,
  reason text,
  who text,
  since timestamptz,
  until timestamptz,
  check (not frozen or (reason is not null and since is not null))
);
comment on table migration.maintenance is 'Whether writes are frozen, why, by whom and until when.';
insert into migration.maintenance default values on conflict do nothing;
alter table migration.maintenance enable row level security;
revoke all on migration.maintenance from public, anon, authenticated, service_role;

create or replace function private.refuse_frozen() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  m migration.maintenance;
begin
  select * into m from migration.maintenance where frozen and (until is null or until > clock_timestamp());
  if found and not private.is_loader() then
    raise exception using errcode = 'PT503',
      message = 'The archive cannot be changed right now: ' || m.reason,
      detail = 'until ' || coalesce(to_char(m.until at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), 'further notice'),
      hint = 'Reading goes on. Nothing of this change was saved: try again afterwards.';
  end if;
  return null;
end;
$$;

-- Of a table that the API can write: the freeze, updated_at, and (for words, consent, value, access) the audit.
create or replace function private.watch(target regclass, audited boolean) returns void
  language plpgsql security invoker set search_path = ''
as $$
declare
  has_guard boolean := exists (
    select from pg_catalog.pg_attribute where attrelid = target and attname = 'source_hash' and not attisdropped
  );
  has_updated_at boolean := exists (
    select from pg_catalog.pg_attribute where attrelid = target and attname = 'updated_at' and not attisdropped
  );
begin
  execute format(
    'create or replace trigger aa_refuse_frozen before insert or update or delete or truncate on %s '
    'for each statement execute function private.refuse_frozen()', target);
  if has_updated_at and not has_guard then
    execute format(
      'create or replace trigger touch before update on %s for each row execute function private.touch()', target);
  end if;
  if audited then
    -- The loader is told by WHEN: not even an event is queued for each of its rows.
    -- Nor for a refresh of what the consent rule keeps (measured: two thirds of a refresh's time).
    execute format(
      'create or replace trigger write_audit after insert or update of %s or delete on %s for each row when ('
      'current_setting(''migration.writer'', true) is distinct from ''on'' '
      'or not pg_has_role(session_user, %L, ''MEMBER'')) execute function private.write_audit()',
      (
        select string_agg(quote_ident(attname), ', ' order by attnum) from pg_catalog.pg_attribute
        where attrelid = target and attnum > 0 and not attisdropped
          and attname not in ('eff_limits', 'eff_until', 'eff_ai_until')
      ),
      target, (select pg_catalog.pg_get_userbyid(relowner) from pg_catalog.pg_class where oid = target));
    execute format(
      'create or replace trigger write_audit_of_truncate after truncate on %s '
      'for each statement execute function private.write_audit_of_truncate()', target);
  end if;
end;
$$;

do $$
declare
  name text;
begin
  foreach name in array array[
    'organisations', 'projects', 'locations', 'storytellers', 'storyteller_contacts', 'stories', 'interviews', 'themes',
    'quotes', 'media_assets', 'authorship', 'story_interviews', 'interview_storytellers', 'interview_themes',
    'quote_interviews', 'profiles', 'communities', 'community_members', 'organisation_members', 'project_members',
    'organisation_api_keys', 'cultural_protocols', 'storyteller_claims', 'platform_config', 'consents',
    'elder_review_queue', 'story_comments', 'story_analysis', 'community_insights', 'community_insight_stories',
    'value_events', 'value_distributions', 'erasure_requests'
  ] loop
    perform private.watch(('public.' || name)::regclass, true);
  end loop;
  -- Without the audit: they are histories themselves, or say nothing of words, consent, value or access.
  foreach name in array array['consent_events', 'story_versions', 'story_views', 'story_reactions', 'claim_attempts'] loop
    perform private.watch(('public.' || name)::regclass, false);
  end loop;
end;
$$;

-- Which columns of a migrated table are the app's own: changing them is no local change of what was migrated.
create or replace function private.guard(target regclass, app_columns text[]) returns void
  language plpgsql security invoker set search_path = ''
as $$
declare
  owner name := (select pg_catalog.pg_get_userbyid(relowner) from pg_catalog.pg_class where oid = target);
  not_loader text := format(
    'current_setting(''migration.writer'', true) is distinct from ''on'' or not pg_has_role(session_user, %L, ''MEMBER'')', owner);
  migrated text[] := (
    select array_agg(quote_ident(attname) order by attnum) from pg_catalog.pg_attribute
    where attrelid = target and attnum > 0 and not attisdropped and attname <> all (app_columns || array['updated_at'])
  );
begin
  execute format('drop trigger if exists mark_local_change on %s', target);
  execute format(
    'create or replace trigger mark_local_insert before insert on %s for each row when (%s) '
    'execute function private.mark_local_change()', target, not_loader);
  -- Images, not values: some types have no equality, and 1.0 is not 1.00.
  execute format(
    'create or replace trigger mark_local_update before update on %s for each row when ((%s) and '
    'row(%s)::record operator(pg_catalog.*<>) row(%s)::record) execute function private.mark_local_change()',
    target, not_loader,
    (select string_agg('old.' || c, ', ') from unnest(migrated) c), (select string_agg('new.' || c, ', ') from unnest(migrated) c));
end;
$$;
-- Apart, and not a default of the above: that would make the call in 05 ambiguous when it is run again.
create or replace function private.guard(target regclass) returns void
  language sql security invoker set search_path = ''
as $$ select private.guard(target, '{}') $$;
revoke all on function private.guard(regclass), private.guard(regclass, text[]) from public, anon, authenticated, service_role;

do $$
declare
  name text;
begin
  foreach name in array array[
    'locations', 'storyteller_contacts', 'interviews', 'themes', 'media_assets', 'authorship', 'story_interviews',
    'interview_storytellers', 'interview_themes', 'quote_interviews', 'consents'
  ] loop
    perform private.guard(('public.' || name)::regclass);
  end loop;
  perform private.guard('public.organisations', array['description', 'website']);
  perform private.guard('public.projects', array['description', 'is_public']);
  perform private.guard('public.quotes', array['story_id', 'featured']);
  perform private.guard('public.storytellers', array[
    'profile_id', 'community_id', 'privacy', 'deceased', 'show_name', 'show_photo', 'show_bio', 'show_organisation', 'show_location'
  ]);
  perform private.guard('public.stories', array[
    'community_id', 'organisation_id', 'project_id', 'created_by', 'sensitivity', 'requires_elder_review', 'published_at',
    'language', 'status', 'privacy', 'eff_limits', 'eff_until', 'eff_ai_until'
  ]);
end;
$$;

revoke all on all functions in schema private from public, anon, authenticated, service_role
