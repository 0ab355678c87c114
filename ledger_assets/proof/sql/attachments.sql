-- The inventory of files kept in Postgres against the export's, and against what the raw records say of each file that
-- could be had. A cell may hold an attachment twice; its entries are the same.
with listed as (
  select distinct on (table_id, record_id, field_id, attachment_id) * from proof_inventory
), kept as (
  select k.* from airtable.attachments k where k.base_id = %(base)s and k.source_deleted_at is null
), cells as (
  select distinct on (table_id, record_id, field_id, attachment_id) * from proof_files
), compared as (
  select coalesce(i.attachment_id, k.attachment_id) as attachment_id,
         case
           when i.attachment_id is null then 'extra'
           when (k.filename, k.size, k.content_type, k.file_sha256, k.object_key, k.problem)
                is distinct from (i.filename, i.size, i.content_type, i.sha256, i.object_key, i.problem) then 'differs'
           when i.problem is null and (k.filename, k.size, k.content_type)
                is distinct from (coalesce(c.filename, ''), c.size, coalesce(c.content_type, '')) then 'differs'
         end as verdict
  from listed i
  full join kept k on k.table_id = i.table_id and k.record_id = i.record_id and k.field_id = i.field_id
    and k.attachment_id = i.attachment_id
  left join cells c on c.table_id = i.table_id and c.record_id = i.record_id and c.field_id = i.field_id
    and c.attachment_id = i.attachment_id
  where i.attachment_id is null or k.attachment_id is not null  -- one that is not here is named by its file
)
select verdict, count(*), array(select distinct i from unnest(array_agg(attachment_id)) i order by i limit 20)
from compared
where verdict is not null
group by verdict
