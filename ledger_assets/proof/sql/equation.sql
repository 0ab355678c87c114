-- One target table against one Airtable table: where is each record?
with records as (
  select record_id, created_time from proof_present where table_id = %(table)s
), rows as (
  select airtable_record_id as record_id, count(*) as n,
         bool_and(airtable_table_id = %(table)s) as of_table, min(airtable_created_at) as created
  from {target}
  where airtable_base_id = %(base)s and airtable_record_id is not null and source_deleted_at is null
  group by airtable_record_id
), gone as (
  select distinct airtable_record_id as record_id
  from {target}
  where airtable_base_id = %(base)s and airtable_record_id is not null and source_deleted_at is not null
), rejected as (
  select distinct record_id from proof_rejected
  where table_id = %(table)s and field_id is null and kind = 'quarantine' and coalesce(target, %(name)s) = %(name)s
), skipped as (
  select record_id, min(rule) as rule from proof_skipped
  where table_id = %(table)s and target = %(name)s group by record_id
), placed as (
  select coalesce(r.record_id, t.record_id) as record_id, s.rule,
         case
           when r.record_id is null or not t.of_table then 'extra'
           when coalesce(t.n, 0) + (q.record_id is not null)::int + (s.record_id is not null)::int > 1 then 'twice'
           when t.record_id is not null and t.created is distinct from r.created_time then 'created_differs'
           when t.record_id is not null then 'row'
           when q.record_id is not null then 'quarantined'
           when s.record_id is not null then 'skipped'
           when g.record_id is not null then 'deleted_wrongly'
           else 'unaccounted'
         end as place
  from records r
  full join rows t on t.record_id = r.record_id
  left join rejected q on q.record_id = r.record_id
  left join skipped s on s.record_id = r.record_id
  left join gone g on g.record_id = r.record_id
)
select place, case when place = 'skipped' then rule end as rule, count(*),
       array(select i
             from unnest(array_agg(record_id) filter (where place not in ('row', 'quarantined', 'skipped'))) i
             order by i limit 20)
from placed
group by 1, 2
