-- Who wins after people edit in Postgres: every migrated row knows whether somebody else changed it.
--
-- What belongs here: the trigger that sets locally_changed, on every public table that has source_hash. A migration
-- that adds such a table calls private.guard('public.its_name'). What does not: what a load does about it.
--
-- Invariants: any writer but the loader sets locally_changed and none can clear it; the loader is a session that says
-- so (migration.writer) AND whose session_user is a member of the table's owner, which no API session is. Re-runnable.
create or replace function private.mark_local_change() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  -- Images, not values: some types have no equality, and 1.0 is not 1.00.
  if tg_op = 'INSERT' or new operator(pg_catalog.*<>) old then
    new.locally_changed := true;
    new.updated_at := pg_catalog.now();
  end if;
  return new;
end;
$$;
revoke all on function private.mark_local_change() from public, anon, authenticated, service_role;

create or replace function private.guard(target regclass) returns void
  language plpgsql security invoker set search_path = ''
as $$
begin
  -- The loader is told by WHEN and not in the function: built-ins alone, no function call for each row of a load.
  execute pg_catalog.format(
    'create or replace trigger mark_local_change before insert or update on %s for each row when ('
    'current_setting(''migration.writer'', true) is distinct from ''on'' '
    'or not pg_has_role(session_user, %L, ''MEMBER'')) execute function private.mark_local_change()',
    target,
    (select pg_catalog.pg_get_userbyid(relowner) from pg_catalog.pg_class where oid = target)
  );
end;
$$;
revoke all on function private.guard(regclass) from public, anon, authenticated, service_role;

do $$
declare
  target regclass;
begin
  for target in
    select a.attrelid::regclass
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and a.attname = 'source_hash' and not a.attisdropped
    order by c.relname
  loop
    perform private.guard(target);
  end loop;
end;
$$;
