-- Every file that the migration has, where its row says it lies, and whether anybody may fetch it.
select
  m.id::text, m.role, m.sha256, m.object_key, m.content_type, m.size_bytes, m.storage_bucket, m.storage_key,
  exists (select from private.open_media o where o.id = m.id)
from public.media_assets m
where m.sha256 is not null and m.object_key is not null
order by m.id
