update migration.undo_rows r
set image = (select row({columns})::text from (select (r.image::pg_temp.{staged}).*) x)
from migration.undo u where u.undo_id = r.undo_id and u.shape = {shape} and r.image is not null and r.table_name = {table_text}
