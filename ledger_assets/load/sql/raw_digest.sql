-- One hash of all records of an Airtable table that are there: of their ids and content hashes, in the ids' order.
select encode(sha256(convert_to(coalesce(
  string_agg(d.record_id || ' ' || encode(d.{hash}, 'hex') || e'\n', '' order by d.record_id collate "C"), ''), 'UTF8')), 'hex')
from airtable.{table} d
where d.base_id = %(base)s and d.table_id = %(table)s and d.source_deleted_at is null
