-- Links of every field to records of the table that it leads to which the raw records do not have.
select l.field_id, count(*),
       array(select distinct i from unnest(array_agg(l.record_id)) i order by i limit 20)
from proof_links l
join unnest(%(fields)s::text[], %(tables)s::text[]) p (field_id, table_id) on p.field_id = l.field_id
where not exists (
  select from proof_present r where r.table_id = p.table_id and r.record_id = l.target_id
)
group by l.field_id
