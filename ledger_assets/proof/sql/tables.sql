-- What the proof works with for the length of its transaction. Nothing else is ever written.
create temp table proof_redacted (        -- cells that the export left out because of what people had erased
  table_id text collate "C" not null,
  field_id text collate "C" not null,
  record_id text collate "C" not null
) on commit drop;

create temp table proof_rejected (
  target text,                            -- NULL: the finding does not name a target table
  table_id text collate "C" not null,
  record_id text collate "C" not null,
  field_id text collate "C",              -- NULL: the whole record
  kind text not null,
  reason text not null                    -- of a link: names the record it leads to
) on commit drop;

create temp table proof_skipped (
  target text not null,
  table_id text collate "C" not null,
  record_id text collate "C" not null,
  rule text not null
) on commit drop;

create temp table proof_mapping (
  target text not null,                   -- the table that text refers to
  source text collate "C" not null,       -- the text as the reviewed mapping file has it
  name text collate "C"                   -- NULL: a person decided that the text means no row
) on commit drop;

create temp table proof_cells (           -- that a link or attachment cell is there, empty list or not
  table_id text collate "C" not null,
  field_id text collate "C" not null,
  record_id text collate "C" not null
) on commit drop;

create temp table proof_links (
  table_id text collate "C" not null,
  field_id text collate "C" not null,
  record_id text collate "C" not null,
  position integer not null,
  target_id text collate "C"
) on commit drop;

create temp table proof_files (
  attachment_id text collate "C" not null,
  table_id text collate "C" not null,
  record_id text collate "C" not null,
  field_id text collate "C" not null,
  position integer not null,
  filename text collate "C",
  content_type text collate "C",
  size bigint,
  sha256 text,                            -- this and what follows: by the export's inventory
  object_key text collate "C",
  listed boolean not null default false,
  problem text
) on commit drop;

create temp table proof_inventory (
  attachment_id text collate "C" not null,
  table_id text collate "C" not null,
  record_id text collate "C" not null,
  field_id text collate "C" not null,
  filename text collate "C",
  content_type text collate "C",
  size bigint,
  sha256 text,
  object_key text collate "C",
  problem text
) on commit drop;

create temp table proof_objects (         -- stored files, read to the last byte
  sha256 text not null,
  state text not null,
  size bigint
) on commit drop;
