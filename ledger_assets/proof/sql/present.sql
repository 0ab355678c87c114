-- The raw records that are in Airtable still, without their texts: what is asked for often is a hundredth of them.
create temp table proof_present on commit drop as
select table_id collate "C" as table_id, record_id collate "C" as record_id, created_time
from proof_raw
