-- The rehearsal's disaster, in a scratch database that is thrown away: stories lost with all that belongs to them, people's
-- names and records' fields changed, records deleted. Without a trace: run as a restore, in which no trigger of ours writes.
truncate public.stories cascade;
update public.storytellers set name = 'changed' where id in (select id from public.storytellers order by id limit 50);
update airtable.records set fields = '{}' where (base_id, table_id, record_id) in (
  select base_id, table_id, record_id from airtable.records order by record_id limit 50);
delete from airtable.records where (base_id, table_id, record_id) in (
  select base_id, table_id, record_id from airtable.records order by record_id desc limit 50);
