-- The attachments of all attachment fields of one table, one row each, in the order of their cell.
insert into proof_files (attachment_id, table_id, record_id, field_id, position, size)
select coalesce(f.value ->> 'id', ''), %(table)s, r.record_id, c.field_id, f.n,
       case jsonb_typeof(f.value -> 'size') when 'number' then (f.value ->> 'size')::numeric::bigint end
from proof_raw r
cross join lateral (values {cells}) c (field_id, cell)
cross join lateral jsonb_array_elements(case jsonb_typeof(c.cell) when 'array' then c.cell else '[]' end)
  with ordinality f (value, n)
where r.table_id = %(table)s
