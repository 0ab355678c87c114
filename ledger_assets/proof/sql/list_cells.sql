-- All link and attachment cells of one table: each record is read once, however many such fields it has.
insert into proof_cells (table_id, field_id, record_id, cell)
select %(table)s, x.field_id, r.record_id, x.cell
from proof_raw r
{cells}
cross join lateral (values {pairs}) x (field_id, cell)
where r.table_id = %(table)s and x.cell is not null
