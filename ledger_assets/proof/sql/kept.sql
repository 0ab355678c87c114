-- What the raw records are compared with, and each of them with its text hashed as it lies here: the one time that all
-- texts are hashed. On the connection that judges them (records.judge_raw), for the length of its transaction.
create temp table proof_export (
  table_id text collate "C" not null,
  record_id text collate "C" not null,
  sha bytea not null                      -- of the exact text
) on commit drop;

create temp table proof_comments (        -- the export's comments by their exact text, each once
  table_id text collate "C" not null,
  record_id text collate "C" not null,
  sha bytea not null
) on commit drop;

create temp table proof_readdressed (     -- same as in the export but for addresses of files, which change every time
  table_id text collate "C" not null,
  record_id text collate "C" not null
) on commit drop;

create temp table proof_kept on commit drop as
select table_id collate "C" as table_id, record_id collate "C" as record_id, source_deleted_at is not null as deleted,
       sha256(convert_to(raw, 'UTF8')) as actual, sha256 as stored
from airtable.records
where base_id = {base};
