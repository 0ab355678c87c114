-- Links of one field to records that the export does not have.
select count(*), (array_agg(distinct l.record_id))[1:20]
from proof_links l
where l.table_id = %(table)s and l.field_id = %(field)s
  and not exists (select from proof_raw r where r.table_id = %(other_table)s and r.record_id = l.target_id)
