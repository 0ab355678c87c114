-- The export's comments against those kept, by record and by the hash of the exact text, computed here.
with kept as (
  select table_id collate "C" as table_id, record_id collate "C" as record_id, sha256(convert_to(raw, 'UTF8')) as sha
  from airtable.comments
  where base_id = %(base)s and source_deleted_at is null
)
select coalesce(e.table_id, k.table_id), count(k.sha),
       count(*) filter (where e.sha is null or k.sha is null),
       array(select distinct i
             from unnest(array_agg(coalesce(e.record_id, k.record_id)) filter (where e.sha is null or k.sha is null)) i
             order by i limit 20)
from proof_comments e
full join kept k on k.table_id = e.table_id and k.record_id = e.record_id and k.sha = e.sha
group by 1
