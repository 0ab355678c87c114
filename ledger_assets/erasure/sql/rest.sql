-- What a row that an erasure took hung on another way when the snapshot was taken: links first, then what they join.
set constraints all deferred;
create temp table rest on commit drop as
  select * from unnest(%(row_tables)s::text[], %(row_ids)s::uuid[]) r (table_name, id);
delete from public.quote_interviews l using rest r
  where (r.table_name, r.id) in (('quotes', l.quote_id), ('interviews', l.interview_id));
delete from public.interview_themes l using rest r
  where (r.table_name, r.id) in (('themes', l.theme_id), ('interviews', l.interview_id));
delete from public.story_interviews l using rest r where (r.table_name, r.id) = ('interviews', l.interview_id);
delete from public.interview_storytellers l using rest r
  where (r.table_name, r.id) in (('interview_storytellers', l.id), ('interviews', l.interview_id));
delete from public.authorship l using rest r where (r.table_name, r.id) = ('authorship', l.id);
delete from public.story_comments l using rest r where (r.table_name, r.id) = ('story_comments', l.id);
delete from public.story_analysis l using rest r where (r.table_name, r.id) = ('story_analysis', l.id);
delete from public.elder_review_queue l using rest r where (r.table_name, r.id) = ('elder_review_queue', l.id);
delete from public.media_assets l using rest r where (r.table_name, r.id) = ('media_assets', l.id);
delete from public.storyteller_contacts l using rest r where (r.table_name, r.id) = ('storyteller_contacts', l.id);
delete from public.storyteller_claims l using rest r where (r.table_name, r.id) = ('storyteller_claims', l.id);
delete from public.consents l using rest r where (r.table_name, r.id) = ('consents', l.id);
delete from public.community_insights l using rest r where (r.table_name, r.id) = ('community_insights', l.id);
delete from public.quotes l using rest r where (r.table_name, r.id) = ('quotes', l.id);
delete from public.themes l using rest r where (r.table_name, r.id) = ('themes', l.id);
delete from public.interviews l using rest r where (r.table_name, r.id) = ('interviews', l.id);
set constraints all immediate;
delete from audit.images i using rest r where i.table_name = r.table_name and i.row_id = r.id::text;
drop table rest
