-- Every raw record of the base, its text hashed as it lies here: the one time that all texts are hashed.
create temp table proof_kept on commit drop as
select table_id collate "C" as table_id, record_id collate "C" as record_id, created_time,
       source_deleted_at is not null as deleted, sha256(convert_to(raw, 'UTF8')) as actual, sha256 as stored
from airtable.records
where base_id = {base}
