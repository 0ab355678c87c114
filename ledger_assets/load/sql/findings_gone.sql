-- Findings that this load did not find again. A load of some months judges conflicts and files only of what it loaded.
update migration.findings d
set status = 'gone', last_load = %(load)s
where d.base_id = %(base)s and d.status <> 'gone'
  and not exists (select from found s where s.id = d.id)
  and (%(full)s or d.kind not in ('conflict', 'missing_file')
    or d.kind = 'conflict' and d.row_id in (select id from judged))
