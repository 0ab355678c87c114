-- What our migrations refer to and the platform owns, for a scratch database beside a real one: it is made from an empty
-- template, its roles are the server's, and it is dropped again. Never for a database that keeps anything.
create schema if not exists auth;
create table if not exists auth.users (id uuid primary key);
create or replace function auth.jwt() returns jsonb language sql stable as $$
  select nullif(current_setting('request.jwt.claims', true), '')::jsonb
$$;
create or replace function auth.uid() returns uuid language sql stable as $$
  select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
create or replace function auth.role() returns text language sql stable as $$
  select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
$$;
-- To everybody, as restored functions and triggers look there as their owners, whoever these are on that server.
grant usage on schema auth to public;
-- On the platform it owns the table. Where it is a role of this server, a superuser acts as it in the check of access.
do $$
begin
  if exists (select from pg_roles where rolname = 'supabase_auth_admin') then
    grant select, delete on auth.users to supabase_auth_admin;
  end if;
end
$$
