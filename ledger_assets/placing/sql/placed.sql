-- The row says where its file lies, if it is still that file and still for whom it was.
update public.media_assets m
set storage_bucket = %(bucket)s, storage_key = %(key)s, placed_at = clock_timestamp()
where m.id = %(id)s and m.sha256 = %(sha256)s
  and (not %(public)s or exists (select from private.open_media o where o.id = m.id))
