select {counts}
from public.{table} d
join {keys} s on s.id = d.id
where not d.locally_changed
