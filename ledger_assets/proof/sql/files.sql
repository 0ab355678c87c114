-- Every attachment of the raw records: is its file whole, and does the inventory in Postgres say the same?
select verdict, count(*), count(distinct (table_id, record_id, field_id)), coalesce(sum(size), 0),
       array(select distinct i from unnest(array_agg(attachment_id) filter (where verdict <> 'whole')) i
             order by i limit 20)
from (
  select f.attachment_id, f.table_id, f.record_id, f.field_id, f.size,
         case
           when not f.listed then 'no entry'
           when f.sha256 is null then 'not to be had'
           when o.state is null or o.state = 'missing' then 'no object'
           when o.state = 'damaged' or o.size <> f.size then 'damaged'
           when k.file_sha256 is distinct from f.sha256 then 'not in Postgres'
           else 'whole'
         end as verdict
  from proof_files f
  left join proof_objects o on o.sha256 = f.sha256
  left join airtable.attachments k
    on k.base_id = %(base)s and k.table_id = f.table_id and k.record_id = f.record_id and k.field_id = f.field_id
    and k.attachment_id = f.attachment_id and k.source_deleted_at is null
) judged
group by verdict
