-- Cells per field of the raw records, and how many of them hold an error of Airtable's, alone or inside a list.
select r.table_id, c.key, count(*),
       count(*) filter (where case jsonb_typeof(c.value)
         when 'object' then c.value ?| '{error,specialValue}'
         when 'array' then c.value @? '$[*] ? (exists (@.error) || exists (@.specialValue))'
       end)
from proof_raw r
cross join lateral (
  select key, value from jsonb_each(r.fields) where jsonb_typeof(value) <> 'null' or key = any (r.lossy)
  union all
  select name, null from unnest(r.lossy) name where not r.fields ? name
) c
group by r.table_id, c.key
