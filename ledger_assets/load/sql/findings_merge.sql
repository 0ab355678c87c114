-- Known findings keep their id and what a person decided. A conflict that is reported again is a new question: the
-- source or the row has changed since the decision. Nothing is written for a finding that stays as it is.
merge into migration.findings d
using found s on d.id = s.id
when matched and s.kind = 'conflict' and not s.silenced
  and (d.status <> 'open' or d.detail is distinct from s.detail) then
  update set status = 'open', detail = s.detail, last_load = %(load)s,
    resolution = null, who = null, note = null, at = null
when matched and (s.kind <> 'conflict' or s.silenced) and d.status = 'gone' then
  update set status = case when d.resolution is null then 'open' else 'resolved' end, last_load = %(load)s
when not matched then
  insert (id, base_id, kind, table_name, airtable_table_id, record_id, row_id, field, reason, detail,
    first_load, last_load)
  values (s.id, %(base)s, s.kind, s.table_name, s.airtable_table_id, s.record_id, s.row_id, s.field, s.reason,
    s.detail, %(load)s, %(load)s)
