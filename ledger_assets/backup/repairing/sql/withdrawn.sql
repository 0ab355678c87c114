update public.consents f set state = 'withdrawn' where f.state = 'given' and exists (
  select from public.consent_events e where e.consent_id = f.id and e.event = 'withdrawn' and not exists (
    select from public.consent_events l where l.consent_id = f.id and l.event = 'given' and l.at > e.at
  )
)
