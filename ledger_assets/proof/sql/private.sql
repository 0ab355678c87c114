-- Stories of the base that are anything else than private drafts although nobody made them so: whoever opens a story
-- leaves a line in the audit, and the loader cannot write one. Those gone from Airtable, too.
select count(*), count(*) filter (where opened and by_somebody), count(*) filter (where opened and not by_somebody),
       array(select i from unnest(array_agg(airtable_record_id) filter (where opened and not by_somebody)) i order by i limit 20)
from (
  select s.airtable_record_id,
    (s.status, s.privacy) is distinct from ('draft', 'private') as opened,
    exists (
      select from audit.log l
      where l.table_name = 'stories' and l.row_id = s.id::text and l.changed && array['status', 'privacy']
    ) as by_somebody
  from public.stories s
  where s.airtable_base_id = %(base)s
) judged
