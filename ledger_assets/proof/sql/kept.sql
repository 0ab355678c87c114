-- Every raw record of the base, its text hashed as it lies here: the one time that all texts are hashed.
insert into proof_kept (table_id, record_id, created_time, deleted, actual, stored)
select table_id, record_id, created_time, source_deleted_at is not null, sha256(convert_to(raw, 'UTF8')), sha256
from airtable.records
where base_id = %(base)s
