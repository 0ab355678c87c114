-- All link and attachment cells of one table, and what is in them, one row each in the order of their cell. Each record
-- is read once, however many such fields it has.
with cells as materialized (
  select r.record_id, x.field_id, x.files, x.cell
  from proof_raw r
  {cells}
  cross join lateral (values {pairs}) x (field_id, files, cell)
  where r.table_id = %(table)s and x.cell is not null
), links as (
  insert into proof_links (table_id, field_id, record_id, position, target_id)
  select %(table)s, c.field_id, c.record_id, l.n,
         case jsonb_typeof(l.value) when 'object' then l.value ->> 'id' else l.value #>> '{{}}' end
  from cells c
  cross join lateral jsonb_array_elements(case jsonb_typeof(c.cell) when 'array' then c.cell else '[]' end)
    with ordinality l (value, n)
  where not c.files
), files as (
  insert into proof_files (attachment_id, table_id, record_id, field_id, position, filename, content_type, size)
  select coalesce(f.value ->> 'id', ''), %(table)s, c.record_id, c.field_id, f.n,
         f.value ->> 'filename', f.value ->> 'type',
         case when f.value ->> 'size' ~ '^[0-9]{{1,18}}$' then (f.value ->> 'size')::bigint end
  from cells c
  cross join lateral jsonb_array_elements(case jsonb_typeof(c.cell) when 'array' then c.cell else '[]' end)
    with ordinality f (value, n)
  where c.files
)
insert into proof_cells (table_id, field_id, record_id)
select %(table)s, field_id, record_id from cells
