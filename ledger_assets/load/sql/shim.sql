-- What a Supabase project gives and plain Postgres lacks, as far as this project stands on it. Run by a superuser,
-- in each database; re-runnable. It must never touch a real project: there the platform owns roles and schema auth.
do $$
begin
  if exists (
    select from pg_roles r
    where r.rolname = 'supabase_auth_admin'
      and shobj_description(r.oid, 'pg_authid') is distinct from 'made by ledger_assets'
  ) then
    raise exception 'role supabase_auth_admin is the platform''s: this is a Supabase project, which needs no shim';
  end if;
  if exists (
    select from pg_namespace n
    where n.nspname = 'auth' and obj_description(n.oid, 'pg_namespace') is distinct from 'made by ledger_assets'
  ) then
    raise exception 'schema auth is not ours: this database needs no shim';
  end if;
end
$$;

-- Roles are of the whole cluster: another database's shim may have made them already.
do $$
begin
  if not exists (select from pg_roles where rolname = 'anon') then
    create role anon nologin noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'authenticated') then
    create role authenticated nologin noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'service_role') then
    create role service_role nologin noinherit bypassrls;
  end if;
  -- The API's login: it switches to one of the three above. Without a password nobody can log in with it.
  if not exists (select from pg_roles where rolname = 'authenticator') then
    create role authenticator login noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'supabase_auth_admin') then
    create role supabase_auth_admin login noinherit createrole;
    comment on role supabase_auth_admin is 'made by ledger_assets';
  end if;
end
$$;
grant anon, authenticated, service_role to authenticator;
-- As on Supabase, postgres may act as the API's roles, and no longer as the platform's own.
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres with admin option;

create schema if not exists auth authorization supabase_auth_admin;
comment on schema auth is 'made by ledger_assets';

create table if not exists auth.users (
  id uuid primary key,
  aud text,
  role text,
  email text,
  raw_app_meta_data jsonb,
  raw_user_meta_data jsonb,
  is_anonymous boolean not null default false,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  deleted_at timestamptz
);
-- What the accounts of the migration need; a database made before has the table without them.
alter table auth.users
  add column if not exists email_confirmed_at timestamptz,
  add column if not exists invited_at timestamptz,
  add column if not exists last_sign_in_at timestamptz,
  add column if not exists banned_until timestamptz;
alter table auth.users owner to supabase_auth_admin;
alter table auth.users enable row level security;

create or replace function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;
create or replace function auth.uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
  )::uuid
$$;
create or replace function auth.role() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role')
  )
$$;
alter function auth.jwt() owner to supabase_auth_admin;
alter function auth.uid() owner to supabase_auth_admin;
alter function auth.role() owner to supabase_auth_admin;

grant usage on schema auth to anon, authenticated, service_role, postgres;
grant all on auth.users to postgres;

create schema if not exists extensions authorization postgres;
grant usage on schema extensions to anon, authenticated, service_role;

-- The openness of projects made before May 2026, on purpose: a migration that forgets to revoke must fail a test here.
grant usage on schema public to anon, authenticated, service_role;
alter default privileges for role postgres in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges for role postgres in schema public grant all on sequences to anon, authenticated, service_role;
alter default privileges for role postgres in schema public grant all on functions to anon, authenticated, service_role;
