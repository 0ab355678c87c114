-- A person's consents, by purpose; never what the evidence is, only of which kind.
select
  c.purpose,
  case
    when c.state = 'withdrawn' then 'withdrawn'
    when c.source_deleted_at is not null then 'gone'
    when c.expires_at <= now() then 'expired'
    else 'given'
  end,
  coalesce(s.airtable_record_id, c.story_id::text),
  (c.expires_at at time zone 'UTC')::date,
  c.evidence_kind,
  (c.updated_at at time zone 'UTC')::date
from public.consents c
left join public.stories s on s.id = c.story_id
where c.storyteller_id = %(person)s
order by c.purpose, c.story_id is not null, s.airtable_record_id, c.story_id, c.evidence_kind, c.id
