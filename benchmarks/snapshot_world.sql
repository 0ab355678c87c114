-- {stories} stories, and twenty times as many records as delivered: 1 GB at 21,000 stories. Texts are made of words and
-- numbers, and compress to a third. Written past the triggers: their work is no part of what is measured.
set local session_replication_role = replica;
create function pg_temp.words(seed text, many int) returns text language sql immutable as $$
  select string_agg('river country ' || left(m, 16) || ' family and place ' || right(m, 16) || ' story of old ', '')
  from (select md5(seed || k) as m from generate_series(1, many) k) q
$$;
insert into airtable.records (base_id, table_id, record_id, created_time, raw, fields, sha256, content_sha256, first_export_id, export_id)
  select 'appSYNTHETIC00000', 'tblSYNTHETIC' || lpad((n % 17)::text, 5, '0'), 'rec' || left(md5(n::text), 14), now() - n * interval '1 second',
    raw, raw::jsonb -> 'fields', sha256(convert_to(raw, 'UTF8')), sha256(convert_to(raw, 'UTF8')), 'bench', 'bench'
  from generate_series(1, {stories} * 20) n, lateral (select jsonb_build_object('id', 'rec' || left(md5(n::text), 14),
    'fields', jsonb_build_object('Name', 'Person ' || n, 'Story', pg_temp.words('record' || n, 11)))::text as raw offset 0) made;
insert into public.stories (id, title, copy, transcript, status, privacy, created_at)
  select md5('story' || n)::uuid, 'Story ' || n, pg_temp.words('copy' || n, 20), pg_temp.words('transcript' || n, 30), 'draft', 'private',
    now() - n * interval '1 minute'
  from generate_series(1, {stories}) n;
insert into public.storytellers (id, name) select md5('teller' || n)::uuid, 'Person ' || n from generate_series(0, {stories} / 10) n;
insert into public.authorship (id, story_id, storyteller_id, position)
  select md5('author' || n)::uuid, md5('story' || n)::uuid, md5('teller' || n % ({stories} / 10))::uuid, 1 from generate_series(1, {stories}) n;
