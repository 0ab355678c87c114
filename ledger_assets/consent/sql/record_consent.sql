-- What Airtable says stands in rows of its own, which are not touched; of what people recorded there is one row. None
-- is returned when it says the same already.
insert into public.consents as c (storyteller_id, story_id, purpose, state, expires_at, evidence_kind, evidence)
values (
  %(person)s, %(story)s, %(purpose)s, %(state)s, %(expires)s::timestamp at time zone 'UTC', %(kind)s, %(evidence)s
)
on conflict (storyteller_id, purpose, story_id) where evidence_kind <> 'airtable' do update
set state = excluded.state, expires_at = excluded.expires_at, evidence_kind = excluded.evidence_kind,
  evidence = excluded.evidence
where (c.state, c.expires_at, c.evidence_kind, c.evidence)
  is distinct from (excluded.state, excluded.expires_at, excluded.evidence_kind, excluded.evidence)
returning c.id
