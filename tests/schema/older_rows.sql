-- Rows of the version before (migrations 1 to 5) in every table of it: two people, told alone and together.
insert into organisations (id, airtable_base_id, export_id, source_hash, name, kind)
select md5('o' || n)::uuid, 'appBase', 'e1', sha256('o'), 'Organisation ' || n, 'community' from generate_series(1, 2) n;
insert into projects (id, export_id, source_hash, name, organisation_id)
select md5('p' || n)::uuid, 'e1', sha256('p'), 'Project ' || n, md5('o' || n)::uuid from generate_series(1, 2) n;
insert into locations (id, source_hash, name, kind, country) values (md5('l')::uuid, sha256('l'), 'Riverside', 'town', 'AU');
insert into storytellers (id, airtable_base_id, airtable_table_id, airtable_record_id, airtable_created_at, export_id,
  source_hash, name, preferred_name, project_id, organisation_id, location_id, website_themes, bio, consent_status,
  consent_preferences, sensitive, on_website, recorded_on, source_deleted_at)
select md5('s' || n)::uuid, 'appBase', 'tblS', 'rec' || n, '2024-01-01', 'e1', sha256('s'), 'Person ' || n,
  E'quoted ''" \\\\ \\t', md5('p' || n)::uuid, md5('o' || n)::uuid, md5('l')::uuid, array['a', null, 'c,"d'], 'bio ' || n,
  'Given', 'Website', n = 1, n = 1, '2024-01-01', case when n = 2 then now() end
from generate_series(1, 2) n;
insert into storyteller_contacts (id, source_hash, storyteller_id, email)
select md5('c' || n)::uuid, sha256('c'), md5('s' || n)::uuid, 'person@example.org' from generate_series(1, 2) n;
insert into stories (id, airtable_record_id, source_hash, story_number, title, copy, transcript, permissions, source_status)
select md5('t' || n)::uuid, 'rec' || n, sha256('t'), n, 'Story ' || n, E'words\n' || n, 'spoken', 'Public', 'Published'
from generate_series(1, 4) n;
insert into interviews (id, source_hash, file_name, kind, transcript, location_id, project_id)
select md5('i' || n)::uuid, sha256('i'), 'file' || n, 'interview', 'spoken', md5('l')::uuid, md5('p1')::uuid
from generate_series(1, 2) n;
insert into themes (id, source_hash, name) values (md5('h')::uuid, sha256('h'), 'Theme');
insert into quotes (id, source_hash, quote, occurs_verbatim, storyteller_id) values (md5('q')::uuid, sha256('q'), 'said', true, md5('s1')::uuid);
insert into media_assets (id, source_hash, role, story_id, position, attachment_id, size_bytes, sha256, object_key)
values (md5('m')::uuid, sha256('m'), 'story_image', md5('t1')::uuid, 1, 'att', 7, repeat('0a', 32), 'attachments/0a');
insert into authorship (id, source_hash, story_id, storyteller_id, position)
select md5('a' || n || m)::uuid, sha256('a'), md5('t' || n)::uuid, md5('s' || m)::uuid, m
from generate_series(1, 4) n, generate_series(1, 2) m;
insert into story_interviews (id, source_hash, story_id, interview_id, position) values (md5('si')::uuid, sha256('x'), md5('t1')::uuid, md5('i1')::uuid, 1);
insert into interview_storytellers (id, source_hash, interview_id, storyteller_id, position)
select md5('is' || n)::uuid, sha256('x'), md5('i' || n)::uuid, md5('s' || n)::uuid, 1 from generate_series(1, 2) n;
insert into interview_themes (id, source_hash, interview_id, theme_id, position) values (md5('it')::uuid, sha256('x'), md5('i1')::uuid, md5('h')::uuid, 1);
insert into quote_interviews (id, source_hash, quote_id, interview_id, position) values (md5('qi')::uuid, sha256('x'), md5('q')::uuid, md5('i1')::uuid, 1);
insert into airtable.exports (export_id, base_id, final, started_at, finished_at, manifest) values ('e1', 'appBase', false, now(), now(), '{"a": 1}');
insert into airtable.metadata values ('e1', 'appBase', '{}', sha256('{}'));
insert into airtable.records values ('appBase', 'tblS', 'rec1', now(), '{"a": "\u0000"}', '{"a": ""}', '{a}',
  sha256(convert_to('{"a": "\u0000"}', 'UTF8')), sha256('x'), 'e1', 'e1');
insert into airtable.comments values ('appBase', 'tblS', 'rec1', 'com1', '{}', sha256('{}'), 'e1', 'e1');
insert into airtable.attachments values ('appBase', 'tblS', 'rec1', 'fld1', 'att1', 'a.jpg', 7, 'image/jpeg', repeat('0a', 32), 'k', null, sha256('x'), 'e1', 'e1');
insert into migration.target (environment, name, base_id) values ('staging', 'postgres', 'appBase');
insert into migration.loads (run_id, environment, export_id, started_at, counts) values ('run1', 'staging', 'e1', now(), '{"stories": 4}');
insert into migration.findings (id, base_id, kind, reason, first_load, last_load) values ('f1', 'appBase', 'quarantine', 'no name', 1, 1);
insert into migration.reports (kind, passed, document, page) values ('reconcile', true, '{}', '<p>');
-- By people:
update storytellers set bio = 'corrected by hand', updated_at = '2026-01-01' where airtable_record_id = 'rec1';
update stories set status = 'published', privacy = 'public' where airtable_record_id in ('rec1', 'rec2');
insert into stories (id, title, status, privacy) values (md5('own')::uuid, 'Added by hand', 'pending_approval', 'community');
update migration.findings set status = 'resolved', resolution = 'skip', who = 'somebody', at = now()
