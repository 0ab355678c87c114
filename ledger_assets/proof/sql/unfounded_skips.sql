-- Records of one table that are skipped as blank though they have a cell that Airtable did not fill by itself.
with filled as (
  select r.record_id
  from proof_raw r
  where r.table_id = %(table)s
    and r.record_id in (select k.record_id from proof_skipped k where k.table_id = %(table)s)
    and (exists (select from jsonb_each(r.fields) c
                 where jsonb_typeof(c.value) <> 'null' and c.key <> all ({computed}::text[]))
      or exists (select from unnest(r.lossy) name where name <> all ({computed}::text[])))
), dropped as (
  delete from proof_skipped k
  where k.table_id = %(table)s and k.record_id in (select record_id from filled)
  returning k.record_id
)
select count(distinct record_id), (array(select distinct record_id from dropped order by 1 limit 20)) from dropped
