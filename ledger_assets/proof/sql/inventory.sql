-- What the export's inventory says of each attachment.
update proof_files f
set sha256 = i.sha256, object_key = i.object_key, listed = true, problem = i.problem
from proof_inventory i
where i.table_id = f.table_id and i.record_id = f.record_id and i.field_id = f.field_id
  and i.attachment_id = f.attachment_id
