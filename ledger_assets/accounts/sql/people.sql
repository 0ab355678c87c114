-- Every storyteller that was not erased, with what decides about an account.
select
  t.id::text,
  coalesce(t.airtable_record_id, t.id::text),
  nullif(lower(btrim(c.email)), ''),
  -- A link to an account that was taken back, which a restore brought back, is none.
  t.profile_id is not null and (t.profile_id = a.user_id and a.state in ('made', 'disabled')) is not true,
  t.deceased,
  t.source_deleted_at is not null,
  a.user_id,
  a.state,
  a.invited_at is not null,
  exists (select from public.profiles p where p.id = a.user_id),
  exists (
    select from public.storyteller_claims k
    where k.storyteller_id = t.id and k.confirmed_at is null and k.refused_at is null
      and (k.claimed_at is not null or k.expires_at > clock_timestamp())
  )
from public.storytellers t
left join migration.accounts a on a.storyteller_id = t.id
left join public.storyteller_contacts c on c.storyteller_id = t.id and c.source_deleted_at is null
where not exists (
  select from audit.log l where l.action = 'erase' and l.table_name = 'storytellers' and l.row_id = t.id::text
)
order by t.id
