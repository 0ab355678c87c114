-- Accounts that the migration made for people who had themselves erased since.
select a.storyteller_id::text, a.user_id
from migration.accounts a
where a.state <> 'deleted' and exists (
  select from audit.log l where l.action = 'erase' and l.table_name = 'storytellers' and l.row_id = a.storyteller_id::text
)
order by a.storyteller_id
