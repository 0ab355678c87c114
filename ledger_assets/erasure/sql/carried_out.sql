-- What was erased here, request by request. A request that another one ended along with it (counts is NULL) has nothing of
-- its own; an account goes by being deleted. The erased rows are told by the audit, in the request's own transaction.
select e.id::text, e.scope, e.done_at, e.storyteller_id::text, e.story_id::text, e.requested_by::text,
  array(select array[t.base_id, t.table_id, t.record_id] from migration.erasures t
        where t.request_id = e.id order by t.base_id, t.table_id, t.record_id),
  array(select distinct array[l.table_name, l.row_id] from audit.log l
        where l.action = 'erase' and l.at = e.done_at and l.row_id is not null and e.scope <> 'account'),
  array(select f.object_key from migration.erased_files f where f.request_id = e.id order by 1)
from public.erasure_requests e
where e.state = 'done' and (e.counts is not null or e.scope = 'account')
order by e.done_at, e.id
