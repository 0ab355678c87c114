-- Accounts and people by what they did last. last_sign_in_at is Supabase's; a plain Postgres has no such column, and says
-- so by NULL. to_jsonb, so that one statement reads both.
select count(*),
  exists (select from pg_attribute where attrelid = 'auth.users'::regclass and attname = 'last_sign_in_at' and not attisdropped),
  count(*) filter (where (to_jsonb(u) ->> 'last_sign_in_at')::timestamptz > %(now)s - interval '30 days'),
  count(*) filter (where (to_jsonb(u) ->> 'last_sign_in_at')::timestamptz > %(now)s - interval '90 days'),
  (select count(*) from public.profiles),
  (select count(*) from public.storytellers where profile_id is not null),
  (select count(distinct who) from audit.log where who is not null and at > %(now)s - interval '30 days')
from auth.users u
