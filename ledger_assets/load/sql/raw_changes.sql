-- Which staged rows of one Airtable table are not there as they are: new ones, and those of another hash.
select s.record_id, d.record_id is null
from {keys} s
left join airtable.{table} d on d.base_id = %(base)s and d.table_id = s.table_id and {same_key}
where s.table_id = %(table)s and (d.record_id is null or d.{hash} <> s.hash)
