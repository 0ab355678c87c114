-- Conflicts of rows that nobody changed here.
with dropped as (
  delete from proof_rejected q
  where q.target = %(name)s and q.kind = 'conflict'
    and q.record_id not in (select t.airtable_record_id from {rows} t
                            where t.airtable_base_id = %(base)s and t.locally_changed
                              and t.airtable_record_id is not null)
  returning q.record_id
)
select count(*), (array_agg(record_id order by record_id))[1:20] from dropped
