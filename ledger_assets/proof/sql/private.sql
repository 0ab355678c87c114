-- Stories of the base that the migration made anything else than private drafts; those gone from Airtable, too.
select count(*), count(*) filter (where locally_changed), count(*) filter (where broken),
       array(select i from unnest(array_agg(airtable_record_id) filter (where broken)) i order by i limit 20)
from (
  select airtable_record_id, locally_changed,
         not locally_changed and (status, privacy) is distinct from ('draft', 'private') as broken
  from public.stories
  where airtable_base_id = %(base)s
) judged
