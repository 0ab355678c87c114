-- The archive by the tombstones of one request. Its words in other records' lookups go by private.redact_mentions.
delete from airtable.comments c using migration.erasures e
  where e.request_id = %(request)s and (c.base_id, c.table_id, c.record_id) = (e.base_id, e.table_id, e.record_id);
delete from airtable.attachments a using migration.erasures e
  where e.request_id = %(request)s and (a.base_id, a.table_id, a.record_id) = (e.base_id, e.table_id, e.record_id);
delete from airtable.records a using migration.erasures e
  where e.request_id = %(request)s and (a.base_id, a.table_id, a.record_id) = (e.base_id, e.table_id, e.record_id);
select private.redact_mentions(%(request)s);
update migration.findings f set note = null from migration.erasures e
  where e.request_id = %(request)s and f.note is not null
    and (f.base_id, f.airtable_table_id, f.record_id) = (e.base_id, e.table_id, e.record_id)
