-- Schemas and who may enter them. Nothing is granted by default: every later migration grants what it means to grant.

-- Every Airtable record as delivered, and the base's metadata.
create schema if not exists airtable;
-- What the migration knows about itself: its claim on this database, its loads, findings and reports.
create schema if not exists migration;
-- Functions and views that the API must not reach by name.
create schema if not exists private;

comment on schema airtable is 'Every Airtable record as delivered. Not exposed to the API.';
comment on schema migration is 'The claim on this database, loads, findings and reports. Not exposed to the API.';
comment on schema private is 'Functions and views behind policies and triggers. Not exposed to the API.';

revoke all on schema airtable, migration, private from public, anon, authenticated, service_role;
grant usage on schema airtable, migration to service_role;

-- Supabase has this schema already; a database that lacks it gets it with the same rights.
do $$
begin
  if not exists (select from pg_namespace where nspname = 'extensions') then
    create schema extensions;
    grant usage on schema extensions to anon, authenticated, service_role;
  end if;
end
$$;

revoke create on schema public from public, anon, authenticated, service_role;
grant usage on schema public to anon, authenticated, service_role;

-- Projects made before May 2026 open every new table of public to the API: the role that migrates takes that back.
alter default privileges in schema public revoke all on tables from public, anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from public, anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from public, anon, authenticated, service_role;
-- PUBLIC's right to execute is built in and can only be taken back for all schemas at once.
alter default privileges revoke execute on functions from public;
