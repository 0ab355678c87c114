-- Cells per field of the raw records, and how many of them hold an error of Airtable's, alone or inside a list. The
-- cells of a record with lossy fields are there by name, whatever jsonb could hold of them.
with cells as (
  select r.table_id, c.key, c.value
  from proof_raw r
  cross join lateral jsonb_each(r.fields) c
  where r.lossy = '{}' and jsonb_typeof(c.value) <> 'null'
  union all
  select r.table_id, c.key, c.value
  from proof_raw r
  cross join lateral jsonb_each(r.fields) c
  where r.lossy <> '{}' and (jsonb_typeof(c.value) <> 'null' or c.key = any (r.lossy))
  union all
  select r.table_id, name, null
  from proof_raw r
  cross join lateral unnest(r.lossy) name
  where r.lossy <> '{}' and not r.fields ? name
)
select table_id, key, count(*),
       count(*) filter (where case jsonb_typeof(value)
         when 'object' then value ?| '{error,specialValue}'
         when 'array' then value @? '$[*] ? (exists (@.error) || exists (@.specialValue))'
       end)
from cells
group by table_id, key
