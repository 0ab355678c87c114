-- The links of all link cells, one row each, in the order of their cell.
insert into proof_links (table_id, field_id, record_id, position, target_id)
select c.table_id, c.field_id, c.record_id, l.n,
       case jsonb_typeof(l.value) when 'object' then l.value ->> 'id' else l.value #>> '{}' end
from proof_cells c
cross join lateral jsonb_array_elements(case jsonb_typeof(c.cell) when 'array' then c.cell else '[]' end)
  with ordinality l (value, n)
where c.field_id = any (%(fields)s)
