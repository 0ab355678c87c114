-- The attachments of all attachment cells, one row each, in the order of their cell.
insert into proof_files (attachment_id, table_id, record_id, field_id, position, size)
select coalesce(f.value ->> 'id', ''), c.table_id, c.record_id, c.field_id, f.n,
       case jsonb_typeof(f.value -> 'size') when 'number' then (f.value ->> 'size')::numeric::bigint end
from proof_cells c
cross join lateral jsonb_array_elements(case jsonb_typeof(c.cell) when 'array' then c.cell else '[]' end)
  with ordinality f (value, n)
where c.field_id = any (%(fields)s)
