-- Export against raw records, id by id and hash by hash; the hashes of proof_kept are of the texts as they lie here.
-- <content> is the hash that the export's manifest has of the whole table, computed anew.
with delivered as (  -- the export's hash stands for a text that differs in addresses of files alone
  select k.*, case when a.record_id is null then k.actual else e.sha end as text
  from proof_kept k
  left join proof_readdressed a using (table_id, record_id)
  left join proof_export e using (table_id, record_id)
), contents as (
  select table_id,
         encode(sha256(convert_to(string_agg(record_id || ' ' || encode(text, 'hex') || e'\n', ''
                                             order by record_id collate "C"), 'UTF8')), 'hex') as content
  from delivered
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
           when k.text <> e.sha then 'altered'
           when k.stored is distinct from k.actual then 'hash_stale'
           when k.text <> k.actual then 'readdressed'
           else 'same'
         end as verdict
  from proof_export e
  full join delivered k on k.table_id = e.table_id and k.record_id = e.record_id
)
select table_id, verdict, count(*),
       array(select i from unnest(array_agg(record_id) filter (where verdict not in ('same', 'deleted'))) i
             order by i limit 20),
       content
from compared
left join contents using (table_id)
group by table_id, verdict, content
