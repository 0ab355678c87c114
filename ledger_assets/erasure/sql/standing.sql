select id::text as request_id, scope, storyteller_id::text, story_id::text, requested_by::text as account_id, requested_at
from public.erasure_requests where state = 'requested' order by requested_at, id
