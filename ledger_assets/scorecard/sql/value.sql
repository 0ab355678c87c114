-- Events of value, those that were shared out, and those whose shares are not the event's amount to the cent.
select count(*), count(shared), (array_agg(id::text order by id) filter (where shared <> amount))[1:20],
  count(*) filter (where shared <> amount)
from (
  select e.id, e.amount, (select sum(d.amount) from public.value_distributions d where d.event_id = e.id and d.status <> 'failed') as shared
  from public.value_events e
) f
