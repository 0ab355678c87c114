-- Accounts that have claimed a storyteller, and how many stories each of them has told (as an author, or as a speaker).
select t.profile_id::text, count(distinct p.story_id)
from public.storytellers t
left join private.story_people p on p.storyteller_id = t.id
where t.profile_id is not null
group by t.profile_id order by t.profile_id limit %(most)s
