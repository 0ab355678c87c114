-- A dump of this schema can be restored. What Postgres prints of a trigger's condition that compares two rows by their
-- images (row(...) *<> row(...)) it reads back as a comparison of each column, which uuid and others do not have: pg_restore
-- of any dump ended with "operator does not exist: uuid *<> uuid" (found by the first restore of a snapshot).
--
-- What belongs here: private.guard (08) once more, and its triggers. Re-runnable.
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
  -- Images, not values: some types have no equality, and 1.0 is not 1.00. By the function: the operator is read back as one
  -- of each column.
  execute format(
    'create or replace trigger mark_local_update before update on %s for each row when ((%s) and '
    'pg_catalog.record_image_ne(row(%s), row(%s))) execute function private.mark_local_change()',
    target, not_loader,
    (select string_agg('old.' || c, ', ') from unnest(migrated) c), (select string_agg('new.' || c, ', ') from unnest(migrated) c));
end;
$$;
revoke all on function private.guard(regclass, text[]) from public, anon, authenticated, service_role;

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
$$
