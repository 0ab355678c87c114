-- The way back from a restore: the rows that it replaced or removed, and the triggers that keep still while it runs.
--
-- What belongs here: where those rows are kept, who may not see them, and how an erasure takes them too. What does not:
-- restoring (ledger_assets/backup/merge).
--
-- Invariants: a restore is the loader that says so besides (migration.mode); it brings rows as they were, so nothing of
-- ours counts versions, writes histories or dates anew for it; no API role reaches what is kept; an erasure takes the
-- kept rows of the erased with it, whoever carries it out. Re-runnable.
create table if not exists migration.undo (
  undo_id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  snapshot_id text not null,
  mode text not null,
  who text not null,
  -- Of the tables' columns: an image can only be read back into the columns that it was taken of.
  shape text not null,
  rows bigint not null default 0,
  purged bigint not null default 0,
  undone_at timestamptz,
  undone_by text,
  check ((undone_at is null) = (undone_by is null))
);
comment on table migration.undo is 'Every restore into this database. Holds no words: they stand in migration.undo_rows.';
create table if not exists migration.undo_rows (
  undo_id bigint not null references migration.undo (undo_id) on delete cascade,
  table_name text not null,
  key text[] not null,
  -- What the restore did; the way back does the opposite.
  action text not null check (action in ('insert', 'update', 'delete')),
  -- The row before, as its table's composite: jsonb would make a JSON null of a column an SQL one.
  image text,
  after_md5 text,
  -- Every id in the row before, by which an erasure finds it.
  refs text[] not null,
  primary key (undo_id, table_name, key),
  check ((action = 'insert') = (image is null))
);
comment on table migration.undo_rows is 'Rows before a restore changed them: people''s words. Not exposed to the API; erasures take them.';
create index if not exists undo_rows_refs_idx on migration.undo_rows using gin (refs);
alter table migration.undo enable row level security;
alter table migration.undo_rows enable row level security;
revoke all on migration.undo, migration.undo_rows from public, anon, authenticated, service_role;
revoke all on all sequences in schema migration from public, anon, authenticated, service_role;

create or replace function private.is_restore() returns boolean
  language sql stable set search_path = ''
as $$ select coalesce(current_setting('migration.mode', true) in ('restore', 'undo'), false) and private.is_loader() $$;
comment on function private.is_restore() is 'A loader that brings rows back as they were: no history is written, no date is touched.';

create or replace function private.touch() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  if not private.is_restore() then
    new.updated_at := now();
  end if;
  return new;
end;
$$;

-- What else would write, count or refuse. Told by WHEN with built-ins alone: it is evaluated as whoever writes, and no API
-- role may call into private.
do $$
declare
  t record;
begin
  for t in select * from (values
    ('keep_version', 'public.stories', 'after update of title, copy, transcript',
      -- Written out: a comparison of two rows is printed with other brackets after a dump was restored.
      '(old.title is distinct from new.title or old.copy is distinct from new.copy or old.transcript is distinct from new.transcript)',
      'keep_version'),
    ('keep_consent_event', 'public.consents', 'after insert or update or delete', 'true', 'keep_consent_event'),
    ('story_needs_teller', 'public.stories', 'before insert', 'new.created_by is not null', 'story_needs_teller'),
    ('account_goes', 'public.profiles', 'before delete', 'true', 'account_goes'),
    ('zz_account_is_gone', 'public.profiles', 'after delete', 'true', 'account_is_gone')
  ) t (name, target, event, condition, called) loop
    execute format(
      'create or replace trigger %I %s on %s for each row when (%s and ('
      '(current_setting(''migration.mode'', true) in (''restore'', ''undo'')) is not true '
      'or current_setting(''migration.writer'', true) is distinct from ''on'' '
      'or not pg_has_role(session_user, %L, ''MEMBER''))) execute function private.%I()',
      t.name, t.event, t.target, t.condition,
      (select pg_get_userbyid(relowner) from pg_class where oid = t.target::regclass), t.called);
  end loop;
end;
$$;

-- A restore must leave shares that add up. The way back leads to what was, also where that had lost rows behind their back
-- (TRUNCATE fires no trigger of a row). An insight stays when one of its stories moves to another community or loses its
-- validation, so a restore brings it back as it would stand without the loss; who may read it is asked of its stories.
do $$
declare
  t record;
begin
  for t in select * from (values
    ('shares_add_up', 'public.value_distributions', 'insert or update or delete', array['undo']),
    ('shares_add_up', 'public.value_events', 'update of amount', array['undo']),
    ('insight_stands_on_three', 'public.community_insights', 'insert or update of community_id', array['undo', 'restore']),
    ('insight_stands_on_three', 'public.community_insight_stories', 'insert or update or delete', array['undo', 'restore'])
  ) t (name, target, event, silent) loop
    execute format('drop trigger if exists %I on %s', t.name, t.target);
    execute format(
      'create constraint trigger %I after %s on %s deferrable initially deferred for each row when ('
      '(current_setting(''migration.mode'', true) = any (%L::text[])) is not true '
      'or current_setting(''migration.writer'', true) is distinct from ''on'' '
      'or not pg_has_role(session_user, %L, ''MEMBER'')) execute function private.%I()',
      t.name, t.event, t.target, t.silent, (select pg_get_userbyid(relowner) from pg_class where oid = t.target::regclass),
      t.name);
  end loop;
end;
$$;

-- Rows kept for the way back that are of these ids, or tell of a story or an interview that only they still knew.
create or replace function private.forget_undo(ids text[]) returns bigint
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  known text[] := ids;
  further text[];
  names text[] := '{}';
  near text[] := '{}';
  removed bigint;
begin
  if not exists (select from migration.undo_rows r where r.image is not null or r.refs && ids) then
    return 0;
  end if;
  loop
    -- As private.forget_images does: the words of a person who told or spoke stand in rows that do not name them.
    select array_agg(distinct f.id) into further from (
      select x.id from (
        select ((r.image)::public.authorship).story_id::text as id from migration.undo_rows r
        where r.table_name = 'public.authorship' and r.image is not null and r.refs && known
      ) x where not exists (select from public.stories s where s.id::text = x.id)
      union
      select x.id from (
        select ((r.image)::public.interview_storytellers).interview_id::text as id from migration.undo_rows r
        where r.table_name = 'public.interview_storytellers' and r.image is not null and r.refs && known
      ) x where not exists (select from public.interviews i where i.id::text = x.id)
      union
      select x.id from (
        select ((r.image)::public.quote_interviews).quote_id::text as id from migration.undo_rows r
        where r.table_name = 'public.quote_interviews' and r.image is not null and r.refs && known
      ) x where not exists (select from public.quotes q where q.id::text = x.id)
      union
      select x.id from (
        select ((r.image)::public.interview_themes).theme_id::text as id from migration.undo_rows r
        where r.table_name = 'public.interview_themes' and r.image is not null and r.refs && known
      ) x where not exists (select from public.themes h where h.id::text = x.id)
      union
      select ((r.image)::public.community_insight_stories).insight_id::text from migration.undo_rows r
      where r.table_name = 'public.community_insight_stories' and r.image is not null and r.refs && known
      union
      -- The record of a row that goes: what it was delivered as is kept under that id.
      select ((r.image)::public.stories).airtable_record_id from migration.undo_rows r
      where r.table_name = 'public.stories' and r.image is not null and r.key[1] = any (known)
      union
      select ((r.image)::public.interviews).airtable_record_id from migration.undo_rows r
      where r.table_name = 'public.interviews' and r.image is not null and r.key[1] = any (known)
    ) f where f.id is not null and f.id <> all (known);
    exit when further is null;
    known := known || further;
  end loop;
  -- Airtable repeats a record's words in what links to it, and in what links to that (private.redact_mentions).
  if exists (select from migration.undo_rows r where r.table_name = 'airtable.records' and r.image is not null) then
    names := array(select '%' || k || '%' from unnest(known) k where k ~ '^rec[A-Za-z0-9]+$');
    near := array(
      select '%' || r.record_id || '%' from airtable.records r where r.raw like any (names)
      union select '%' || r.key[3] || '%' from migration.undo_rows r
      where r.table_name = 'airtable.records' and r.image like any (names)
    );
  end if;
  with gone as (
    delete from migration.undo_rows r
    where r.refs && known or (r.table_name = 'airtable.records' and r.image like any (names || near)) returning r.undo_id
  ), counted as (
    select g.undo_id, count(*) as rows from gone g group by g.undo_id
  ), noted as (
    update migration.undo u set purged = u.purged + c.rows from counted c where c.undo_id = u.undo_id returning c.rows
  )
  select coalesce(sum(n.rows), 0) into removed from noted n;
  return removed;
end;
$$;
comment on function private.forget_undo(text[]) is 'Take these people, stories or records out of what is kept for the way back; returns the number of rows.';

create or replace function private.erasure_takes_undo() returns trigger
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  -- The id alone: a tombstone names a record, a line of the audit a row.
  perform private.forget_undo(array[to_jsonb(new) ->> tg_argv[0]]);
  return null;
end;
$$;
create or replace trigger erasure_takes_undo after insert on migration.erasures
  for each row execute function private.erasure_takes_undo('record_id');
create or replace trigger erasure_takes_undo after insert on audit.log
  for each row when (new.action = 'erase') execute function private.erasure_takes_undo('row_id');

-- An account that is deleted takes its profile and its comments; what only names it (who approved, who commented on) stays.
create or replace function private.account_takes_undo() returns trigger
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  -- A restore that removes a profile keeps it for its own way back.
  if private.is_restore() then
    return null;
  end if;
  delete from migration.undo_rows r
  where r.refs && array[old.id::text] and r.image is not null and (
    r.table_name = 'public.profiles'
    or (r.table_name = 'public.story_comments' and ((r.image)::public.story_comments).profile_id = old.id)
    or (r.table_name in ('audit.images', 'public.erasure_requests'))
  );
  return null;
end;
$$;
create or replace trigger zz_account_takes_undo after delete on public.profiles
  for each row execute function private.account_takes_undo();
revoke all on function private.is_restore(), private.touch(), private.forget_undo(text[]), private.erasure_takes_undo(),
  private.account_takes_undo() from public, anon, authenticated, service_role
