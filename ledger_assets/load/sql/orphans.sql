select count(*), (array_agg(coalesce(d.airtable_record_id, d.id::text) order by d.id))[1:%(sample)s]
from public.{table} d
where d.{column} is not null and not exists (select from public.{other} o where o.id = d.{column})
