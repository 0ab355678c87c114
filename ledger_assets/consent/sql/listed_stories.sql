-- The stories that a list names, by record id or by uuid: each name is one of them alone, so that both can be hashed.
select n.line, s.id
from unnest(%(lines)s::integer[], %(records)s::text[]) n (line, record)
join public.stories s on s.airtable_record_id = n.record
union all
select n.line, s.id
from unnest(%(lines)s::integer[], %(rows)s::uuid[]) n (line, row_id)
join public.stories s on s.id = n.row_id
