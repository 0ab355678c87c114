-- Consents whose end date has come and of which no event says so; and the stories that closed by their date.
select count(*), min(c.expires_at), (array_agg(c.id::text order by c.expires_at, c.id))[1:20],
  (select count(*) from public.stories s where s.status = 'published' and s.eff_until > '-infinity' and s.eff_until <= %(now)s)
from public.consents c
where c.state = 'given' and c.source_deleted_at is null and c.expires_at <= %(now)s and not exists (
  select from public.consent_events e
  where e.consent_id = c.id and e.expires_at = c.expires_at and e.event = 'expired'
)
