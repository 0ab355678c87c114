-- Rows of {f} as narrow as people have made them since: compared with the row as it stands, or where it is gone with its
-- last image in the audit. Community and organisation are two circles of which neither holds the other: together private.
with last_image as (
  select distinct on (i.row_id) i.row_id, coalesce(i.after, i.before) as image
  from audit.images i where i.table_name = {name} order by i.row_id, i.log_id desc
), known as (
  select f.id, coalesce(to_jsonb(t), l.image) as now
  from {f} f left join only {table} t on t.id = f.id left join last_image l on l.row_id = f.id::text
), wanted as (
  select f.id,
    case
      when k.now ->> 'privacy' is null or k.now ->> 'privacy' = f.privacy or k.now ->> 'privacy' = 'public' then f.privacy
      when f.privacy = 'public' then k.now ->> 'privacy'
      else 'private'
    end as privacy,
    {more}
  from {f} f join known k on k.id = f.id
), changed as (
  update {f} f set (privacy, {columns}) = (w.privacy, {wanted})
  from wanted w where w.id = f.id and row(f.privacy, {ours}) is distinct from row(w.privacy, {wanted})
  returning f.id
)
insert into merge_exempt (table_name, id, why) select {name}, id, 'narrowed' from changed
