-- Export against raw records, id by id and hash by hash. The hash is computed here, over the text as it lies here.
-- <content> is the hash that the export's manifest has of the whole table, computed anew.
with kept as materialized (
  select table_id, record_id, source_deleted_at is not null as deleted,
         sha256(convert_to(raw, 'UTF8')) as actual, sha256 as stored
  from airtable.records
  where base_id = %(base)s
), contents as (
  select table_id,
         encode(sha256(convert_to(string_agg(record_id || ' ' || encode(actual, 'hex') || e'\n', ''
                                             order by record_id collate "C"), 'UTF8')), 'hex') as content
  from kept
  where not deleted
  group by table_id
), compared as (
  select coalesce(e.table_id, k.table_id) as table_id,
         coalesce(e.record_id, k.record_id) as record_id,
         case
           when e.record_id is null and k.deleted then 'deleted'
           when e.record_id is null then 'extra'
           when k.record_id is null then 'missing'
           when k.deleted then 'deleted_wrongly'
           when k.actual <> e.sha then 'altered'
           when k.stored is distinct from k.actual then 'hash_stale'
           else 'same'
         end as verdict
  from proof_export e
  full join kept k on k.table_id = e.table_id and k.record_id = e.record_id
)
select table_id, verdict, count(*),
       (array_agg(record_id order by record_id) filter (where verdict not in ('same', 'deleted')))[1:20],
       content
from compared
left join contents using (table_id)
group by table_id, verdict, content
