-- Rows of the archive, the findings, the audit and the way back that still hold somebody who was erased. Ids only.
with records as (
  select * from unnest(%(bases)s::text[], %(tables)s::text[], %(records)s::text[]) r (base_id, table_id, record_id)
), rows as (
  select * from unnest(%(row_tables)s::text[], %(row_ids)s::text[]) r (table_name, row_id)
)
select 'airtable.records', r.record_id from airtable.records r join records using (base_id, table_id, record_id)
union select 'airtable.comments', r.record_id from airtable.comments r join records using (base_id, table_id, record_id)
union select 'airtable.attachments', r.record_id from airtable.attachments r join records using (base_id, table_id, record_id)
union select 'migration.findings (note)', r.record_id from migration.findings r
  join records e on (e.base_id, e.table_id, e.record_id) = (r.base_id, r.airtable_table_id, r.record_id)
  where r.note is not null
union select 'audit.images of ' || i.table_name, i.row_id from audit.images i join rows using (table_name, row_id)
union select 'audit.images of ' || i.table_name, i.row_id from audit.images i
  where i.table_name not in ('value_events', 'value_distributions', 'erasure_requests')
    and (i.before ->> 'storyteller_id' = any (%(people)s) or i.after ->> 'storyteller_id' = any (%(people)s))
union select 'audit.images of profiles', i.row_id from audit.images i
  where i.table_name = 'profiles' and i.row_id = any (%(accounts)s)
union select 'public.profiles', p.id::text from public.profiles p where p.id::text = any (%(accounts)s)
order by 1, 2
