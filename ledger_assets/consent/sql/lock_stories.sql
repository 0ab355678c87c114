-- In the order of every refresh: a withdrawal at the same time waits, or is waited for, and neither deadlocks.
select s.id, coalesce(s.airtable_record_id, s.id::text), s.status, s.privacy
from public.stories s
where s.id = any (%(ids)s)
order by s.id
for no key update
