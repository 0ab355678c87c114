-- The links of all link fields of one table, one row each, in the order of their cell.
insert into proof_links (table_id, field_id, record_id, position, target_id)
select %(table)s, c.field_id, r.record_id, l.n,
       case jsonb_typeof(l.value) when 'object' then l.value ->> 'id' else l.value #>> '{{}}' end
from proof_raw r
cross join lateral (values {cells}) c (field_id, cell)
cross join lateral jsonb_array_elements(case jsonb_typeof(c.cell) when 'array' then c.cell else '[]' end)
  with ordinality l (value, n)
where r.table_id = %(table)s
