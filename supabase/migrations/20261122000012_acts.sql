-- Acts that need more than a policy: claiming a storyteller, validating an analysis, publishing, splitting value, erasing.
--
-- What belongs here: functions that check, write and leave their trace in one transaction. What does not: reading (11).
--
-- Invariants: each act checks for itself who is asking; an act of the service role or of the loader's owner is granted
-- to nobody else; an erasure leaves tombstones without words, so that no later load, proof or restore brings the words
-- back. Re-runnable.
create table if not exists migration.erasures (
  base_id text not null,
  table_id text not null,
  record_id text not null,
  erased_at timestamptz not null default now(),
  request_id uuid not null,
  primary key (base_id, table_id, record_id)
);
comment on table migration.erasures is 'Records that a person had erased: a load of an export that still holds one refuses.';
create table if not exists migration.erased_files (
  object_key text primary key,
  erased_at timestamptz not null default now(),
  request_id uuid not null
);
comment on table migration.erased_files is 'Files that an erasure left without a row: to be deleted from the object store.';
alter table migration.erasures enable row level security;
alter table migration.erased_files enable row level security;
revoke all on migration.erasures, migration.erased_files from public, anon, authenticated, service_role;
-- Asked twice is asked once: the second is refused by this name.
create unique index if not exists erasure_requests_already_open on public.erasure_requests
  (requested_by, scope, storyteller_id, story_id) nulls not distinct where state = 'requested';

-- A signed-in person names no id: a story made in the app gets one.
alter table public.stories alter column id set default gen_random_uuid();
create or replace function private.story_needs_teller() returns trigger
  language plpgsql stable security definer set search_path = ''
as $$
begin
  -- Before the policy would refuse it with less of an explanation.
  if not exists (select from public.storytellers t where t.profile_id = new.created_by) then
    raise exception 'this account has not claimed a storyteller: a story needs its teller' using errcode = 'insufficient_privilege',
      hint = 'claim your storyteller with the code that a steward gives you';
  end if;
  return new;
end;
$$;
create or replace trigger story_needs_teller before insert on public.stories for each row
  when (new.created_by is not null) execute function private.story_needs_teller();

-- 128 bits, out of two random UUIDs (122 bits each), so that no extension is needed. Shown once, kept as a hash.
create or replace function private.issue_claim_code(storyteller uuid, valid_for interval) returns text
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  code text := encode(substring(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) for 16), 'hex');
begin
  if (valid_for between interval '1 minute' and interval '90 days') is not true then
    raise exception 'a claim code is valid for between one minute and 90 days' using errcode = 'invalid_parameter_value';
  end if;
  -- Locked, so that of two codes issued at once only one stands.
  perform from public.storytellers t where t.id = storyteller and t.profile_id is null for no key update;
  if not found then
    raise exception 'there is no unclaimed storyteller %', storyteller using errcode = 'no_data_found';
  end if;
  -- By the clock, not by the transaction's begin: a claim begun earlier must not slip through with an ended code.
  update public.storyteller_claims c set expires_at = clock_timestamp()
  where c.storyteller_id = storyteller and c.claimed_at is null and c.expires_at > clock_timestamp();
  insert into public.storyteller_claims (storyteller_id, code_hash, expires_at)
  values (storyteller, sha256(convert_to(code, 'UTF8')), clock_timestamp() + valid_for);
  return code;
end;
$$;

create or replace function private.claim_storyteller(code text) returns text
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  me uuid := auth.uid();
  claim uuid;
begin
  perform private.read_committed();
  -- Locked, so that a hundred calls at once are counted one after the other.
  perform from public.profiles p where p.id = me for no key update;
  if not found then
    return 'no profile';
  end if;
  if (select count(*) >= 5 from public.claim_attempts a where a.profile_id = me and a.at > clock_timestamp() - interval '1 hour') then
    return 'too many attempts';
  end if;
  -- An answer and not an error for a wrong code: an error would roll this line back.
  insert into public.claim_attempts (profile_id, at) values (me, clock_timestamp());
  update public.storyteller_claims c set claimed_by = me, claimed_at = now()
  where c.code_hash = sha256(convert_to(lower(btrim(code)), 'UTF8')) and c.claimed_at is null and c.expires_at > clock_timestamp()
    and exists (select from public.storytellers t where t.id = c.storyteller_id and t.profile_id is null)
  returning c.id into claim;
  return case when claim is null then 'unknown or expired' else 'waits for a steward' end;
end;
$$;

-- Which claims the person may confirm: of storytellers of a community whose elder or steward they are, never their own.
create or replace function private.claims_to_confirm() returns table (
  claim_id uuid, storyteller_id uuid, storyteller text, claimed_by uuid, claimed_by_name text, claimed_at timestamptz
)
  language sql stable security definer set search_path = ''
as $$
  select c.id, t.id, t.name, p.id, p.display_name, c.claimed_at
  from public.storyteller_claims c
  join public.storytellers t on t.id = c.storyteller_id
  join public.profiles p on p.id = c.claimed_by
  where c.claimed_at is not null and c.confirmed_at is null and c.refused_at is null and t.profile_id is null
    and (
      current_setting('role') = 'service_role'
      or (p.id <> auth.uid() and (
        t.community_id = any ((select private.my_elderships())::uuid[])
        or exists (
          select from public.authorship a join public.stories s on s.id = a.story_id
          where a.storyteller_id = t.id and s.community_id = any ((select private.my_elderships())::uuid[])
        )
      ))
    )
$$;

create or replace function private.confirm_claim(claim uuid, confirmed boolean) returns boolean
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  c record;
begin
  if confirmed is null then
    raise exception 'a claim is confirmed (true) or refused (false)' using errcode = 'invalid_parameter_value';
  end if;
  -- The person too: of two claims to one person, confirmed at once, only one may be.
  perform from public.storyteller_claims k join public.storytellers t on t.id = k.storyteller_id where k.id = claim for no key update;
  select * into c from private.claims_to_confirm() k where k.claim_id = claim;
  if not found then
    raise exception 'this claim is not yours to confirm' using errcode = 'insufficient_privilege';
  end if;
  if confirmed then
    update public.storyteller_claims k
    set confirmed_at = now(), confirmed_by = (select p.id from public.profiles p where p.id = auth.uid()) where k.id = claim;
    update public.storytellers t set profile_id = c.claimed_by where t.id = c.storyteller_id;
  else
    update public.storyteller_claims k set refused_at = now() where k.id = claim;
  end if;
  return confirmed;
end;
$$;

create or replace function private.validate_analysis(analysis uuid, valid boolean) returns boolean
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  update public.story_analysis a
  set validated_at = case when valid then now() end,
    validated_by = case when valid then (select p.id from public.profiles p where p.id = auth.uid()) end
  from public.stories s
  where a.id = analysis and s.id = a.story_id
    and (s.community_id = any ((select private.my_elderships())::uuid[]) or s.id = any ((select private.my_stories())::uuid[]))
    and s.eff_ai_until > now();
  if not found then
    raise exception 'this analysis is not yours to validate' using errcode = 'insufficient_privilege';
  end if;
  return valid;
end;
$$;

create or replace function private.maintenance_state() returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select case when m.frozen and (m.until is null or m.until > now())
    then jsonb_build_object('frozen', true, 'reason', m.reason, 'since', m.since, 'until', m.until)
    else jsonb_build_object('frozen', false) end
  from migration.maintenance m
$$;

-- Shares in whole cents: what rounding leaves goes to the largest share, so that they add up to the event.
create or replace function private.split_value(event uuid, shares jsonb) returns integer
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  due numeric;
  written integer;
begin
  select e.amount into due from public.value_events e where e.id = event for no key update;
  if due is null then
    raise exception 'there is no value event %', event using errcode = 'no_data_found';
  end if;
  if exists (select from public.value_distributions d where d.event_id = event) then
    raise exception 'value event % is shared out already', event using errcode = 'unique_violation';
  end if;
  if jsonb_typeof(shares) is distinct from 'array' then
    raise exception 'the shares of a value event are a list' using errcode = 'invalid_parameter_value';
  end if;
  if (
    select sum((s ->> 'percent')::numeric) is distinct from 100 or bool_or(((s ->> 'percent')::numeric > 0) is not true)
    from jsonb_array_elements(shares) s
  ) then
    raise exception 'the shares of a value event are percentages above 0 that add up to 100' using errcode = 'check_violation';
  end if;
  -- A single share is the whole; among several, a part below a cent cannot be paid, and giving it away is nobody's here.
  if jsonb_array_length(shares) > 1
    and (select min(trunc(due * (s ->> 'percent')::numeric / 100, 2)) = 0 from jsonb_array_elements(shares) s)
  then
    raise exception 'value event % is too small for these shares: one of them would be less than a cent', event
      using errcode = 'check_violation', hint = 'share it among fewer';
  end if;
  insert into public.value_distributions (event_id, recipient, storyteller_id, community_id, project_id, organisation_id, amount)
  select event, s.recipient, s.storyteller_id, s.community_id, s.project_id, s.organisation_id,
    s.amount + case when s.rank = 1 then due - s.total else 0 end
  from (
    select r.*, trunc(due * r.percent / 100, 2) as amount,
      sum(trunc(due * r.percent / 100, 2)) over () as total,
      row_number() over (order by r.percent desc, r.storyteller_id, r.community_id, r.project_id, r.organisation_id) as rank
    from jsonb_to_recordset(shares) r (
      recipient text, storyteller_id uuid, community_id uuid, project_id uuid, organisation_id uuid, percent numeric
    )
  ) s;
  get diagnostics written = row_count;
  return written;
end;
$$;

-- What stands between a story, as it now is, and the circle its privacy names: one line per obstacle, ids only.
create or replace function private.obstacles(story uuid)
  returns table (obstacle text, storyteller_id uuid, airtable_record_id text, purpose text)
  language sql stable security definer set search_path = ''
as $$
  with s as (
    select s.*, private.limit_of(s.privacy) as wanted, r.limits, r.until, c.limits as circle
    from public.stories s
    join private.story_rule r on r.id = s.id
    join private.story_circle c on c.id = s.id
    where s.id = story
  ), people as (
    select distinct t.* from private.story_people p join public.storytellers t on t.id = p.storyteller_id where p.story_id = story
  )
  select 'nobody is named as its teller', null::uuid, null::text, null::text where not exists (select from people)
  union
  select 'it has gone from Airtable', null, null, null from s where s.source_deleted_at is not null
  union
  select 'it is sacred', null, null, null from s where s.sensitivity = 'sacred'
  union
  select 'it is sensitive: community at most', null, null, null from s where s.sensitivity = 'sensitive' and s.wanted & 1 = 0
  union
  select 'its teller is sensitive: community at most', t.id, t.airtable_record_id, null from s, people t
  where t.sensitive and s.wanted & 1 = 0
  union
  select 'its teller''s own privacy is ' || t.privacy, t.id, t.airtable_record_id, null from s, people t
  where private.limit_of(t.privacy) & ~ s.wanted <> 0
  union
  select 'a strict protocol of its community allows ' || c.privacy, null, null, null
  from s join public.cultural_protocols c on c.community_id = s.community_id
  where c.is_active and c.enforcement = 'strict' and private.limit_of(c.privacy) & ~ s.wanted <> 0
  union
  select 'its elder review is ' || q.state, null, null, null
  from s join public.elder_review_queue q on q.story_id = s.id where q.state <> 'approved'
  union
  select 'it needs an elder''s review', null, null, null from s
  where not exists (select from public.elder_review_queue q where q.story_id = s.id)
    and (s.requires_elder_review or s.sensitivity <> 'standard' or exists (
      select from public.cultural_protocols c
      where c.community_id = s.community_id and c.is_active and c.enforcement = 'required'
    ))
  union
  select 'it belongs to no community', null, null, null from s where s.wanted & 1 = 1 and s.community_id is null
  union
  select 'it belongs to no organisation', null, null, null from s where s.wanted & 2 = 2 and s.organisation_id is null
  union
  select case when exists (
      select from public.consents k where k.storyteller_id = c.storyteller_id and k.purpose = c.purpose
        and k.state = 'withdrawn' and (k.story_id is null or k.story_id = story)
    ) then 'consent withdrawn' when c.until > '-infinity' then 'consent expired' else 'consent missing' end,
    t.id, t.airtable_record_id, c.purpose
  from s
  join private.story_consent c on c.story_id = s.id
  join people t on t.id = c.storyteller_id
  where c.until <= now() and (
    (s.wanted = 0 and c.purpose = 'public_sharing')
    or (s.wanted & 1 = 1 and c.purpose = 'community_sharing')
    or (s.wanted & 2 = 2 and c.purpose = 'organisation_sharing')
    or (t.deceased and c.purpose = 'posthumous')
  )
$$;

-- Publishing: sets privacy and status and answers with what is in the way. The caller rolls back unless it is nothing.
create or replace function private.publish_story(story uuid, circle text)
  returns table (obstacle text, storyteller_id uuid, airtable_record_id text, purpose text)
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  update public.stories s set privacy = circle, status = 'published', published_at = coalesce(s.published_at, now())
  where s.id = story;
  if not found then
    return query select 'there is no such story', null::uuid, null::text, null::text;
    return;
  end if;
  return query select * from private.obstacles(story);
  -- The list above explains; the rule decides. Should they ever differ, nothing is published.
  if not found and exists (
    select from private.story_rule r where r.id = story and (r.limits <> private.limit_of(circle) or r.until <= now())
  ) then
    return query select 'the consent rule closes it', null::uuid, null::text, null::text;
  end if;
end;
$$;

-- Images are more than the rows that are left: what was deleted years ago has its words there still.
create or replace function private.forget_images(person uuid, stories uuid[]) returns void
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  story_ids text[] := stories::text[];
  interview_ids text[];
  insight_ids text[];
begin
  -- Reading every image is slow and rare; an index for it would be written with every change.
  select story_ids || coalesce(array_agg(distinct x.row ->> 'story_id'), '{}') into story_ids
  from audit.images i cross join lateral (values (i.before), (i.after)) x (row)
  where i.table_name = 'authorship' and x.row ->> 'storyteller_id' = person::text
    and not exists (select from public.stories s where s.id::text = x.row ->> 'story_id');
  select array_agg(distinct x.row ->> 'interview_id') into interview_ids
  from audit.images i cross join lateral (values (i.before), (i.after)) x (row)
  where i.table_name = 'interview_storytellers' and x.row ->> 'storyteller_id' = person::text
    and not exists (select from public.interviews v where v.id::text = x.row ->> 'interview_id');
  select array_agg(distinct x.row ->> 'insight_id') into insight_ids
  from audit.images i cross join lateral (values (i.before), (i.after)) x (row)
  where i.table_name = 'community_insight_stories' and x.row ->> 'story_id' = any (story_ids);
  delete from audit.images i
  where (i.table_name = 'stories' and i.row_id = any (story_ids))
    or (i.table_name = 'interviews' and i.row_id = any (interview_ids))
    or (i.table_name = 'community_insights' and i.row_id = any (insight_ids))
    or (i.table_name not in ('value_events', 'value_distributions', 'erasure_requests') and (
      i.before ->> 'storyteller_id' = person::text or i.after ->> 'storyteller_id' = person::text
      or i.before ->> 'story_id' = any (story_ids) or i.after ->> 'story_id' = any (story_ids)
    ));
  update audit.images i set before = i.before - '{description,note,reason}'::text[], after = i.after - '{description,note,reason}'::text[]
  where i.table_name in ('value_events', 'value_distributions', 'erasure_requests') and (
    i.before ->> 'storyteller_id' = person::text or i.after ->> 'storyteller_id' = person::text
    or i.before ->> 'story_id' = any (story_ids) or i.after ->> 'story_id' = any (story_ids)
  );
end;
$$;

-- Airtable repeats a record's words in the lookups, rollups and formulas of what links to it, and of what links to that:
-- such fields are taken out of those records. The text is then no longer as delivered, and its content hash is made to be
-- nobody's, so that the next load brings what Airtable then says.
create or replace function private.redact_mentions(request uuid) returns bigint
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  written bigint;
begin
  with erased as materialized (
    select e.base_id, e.record_id from migration.erasures e where e.request_id = request
  ), links as materialized (
    select r.base_id, r.table_id, r.record_id, (regexp_matches(r.raw, 'rec[A-Za-z0-9]+', 'g'))[1] as other
    from airtable.records r where r.base_id in (select base_id from erased)
  ), near as materialized (
    select distinct l.base_id, l.table_id, l.record_id from links l join erased e on (e.base_id, e.record_id) = (l.base_id, l.other)
  ), mentions as (
    select base_id, table_id, record_id from near
    union
    select l.base_id, l.table_id, l.record_id from links l join near n on (n.base_id, n.record_id) = (l.base_id, l.other)
  ), computed as (
    select t ->> 'id' as table_id, array_agg(distinct f ->> 'id') as fields
    from airtable.metadata m, jsonb_array_elements(m.raw::jsonb -> 'tables') t, jsonb_array_elements(t -> 'fields') f
    where m.base_id in (select base_id from erased)
      and f ->> 'type' in ('multipleLookupValues', 'lookup', 'rollup', 'formula')
    group by t ->> 'id'
  ), redacted as (
    select n.base_id, n.table_id, n.record_id, r.fields - c.fields as fields,
      jsonb_build_object('id', r.record_id, 'createdTime', r.created_time, 'fields', r.fields - c.fields)::text as raw
    from mentions n
    join airtable.records r using (base_id, table_id, record_id)
    join computed c on c.table_id = n.table_id
    where r.fields ?| c.fields
  )
  update airtable.records r
  set fields = d.fields, raw = d.raw, sha256 = sha256(convert_to(d.raw, 'UTF8')),
    content_sha256 = sha256(convert_to('redacted ' || r.record_id || ' ' || request, 'UTF8'))
  from redacted d
  where (r.base_id, r.table_id, r.record_id) = (d.base_id, d.table_id, d.record_id);
  get diagnostics written = row_count;
  return written;
end;
$$;

-- Erase one story, or one storyteller with all their words. Answers with counts.
create or replace function private.erase(request uuid) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  r public.erasure_requests;
  stories uuid[] := '{}';
  shared uuid[] := '{}';
  interviews uuid[] := '{}';
  quotes uuid[] := '{}';
  themes uuid[] := '{}';
  person uuid;
  is_shell boolean := false;
  gone_tables text[];
  gone_ids text[];
  tally jsonb;
begin
  perform private.read_committed();
  select * into r from public.erasure_requests e where e.id = request for update;
  if r.id is null or r.state <> 'requested' then
    raise exception 'there is no open erasure request %', request using errcode = 'no_data_found';
  end if;
  if r.scope = 'account' then
    raise exception 'an account is erased by deleting it' using errcode = 'invalid_parameter_value';
  elsif r.scope = 'story' then
    -- One of several authors does not erase the words of the others.
    if (select count(*) > 1 from public.authorship a where a.story_id = r.story_id) then
      shared := array[r.story_id];
    else
      stories := array[r.story_id];
    end if;
  elsif r.scope = 'storyteller' then
    person := r.storyteller_id;
    perform from public.storytellers t where t.id = person for update;
    select coalesce(array_agg(distinct a.story_id) filter (where a.alone), '{}'),
      coalesce(array_agg(distinct a.story_id) filter (where not a.alone), '{}')
    into stories, shared
    from (
      -- Theirs alone: no other author, or, where they only speak in it, nobody else at all. A story that others tell from
      -- an interview with them would otherwise open when their own limits on it are gone.
      select p.story_id, case
        when exists (select from public.authorship o where o.story_id = p.story_id and o.storyteller_id = person)
          then not exists (select from public.authorship o where o.story_id = p.story_id and o.storyteller_id <> person)
        else not exists (select from private.story_people o where o.story_id = p.story_id and o.storyteller_id <> person)
      end as alone
      from private.story_people p where p.storyteller_id = person
    ) a;
    select coalesce(array_agg(p.interview_id), '{}') into interviews
    from public.interview_storytellers p
    where p.storyteller_id = person and not exists (
      select from public.interview_storytellers o where o.interview_id = p.interview_id and o.storyteller_id <> person
    );
    select coalesce(array_agg(q.id), '{}') into quotes from public.quotes q
    where q.storyteller_id = person or exists (
      select from public.quote_interviews l where l.quote_id = q.id and l.interview_id = any (interviews)
    );
    select coalesce(array_agg(distinct l.theme_id), '{}') into themes from public.interview_themes l
    where l.interview_id = any (interviews) and not exists (
      select from public.interview_themes o where o.theme_id = l.theme_id and o.interview_id <> all (interviews)
    );
  end if;

  select array_agg(g.name), array_agg(g.id) into gone_tables, gone_ids from (
    select 'stories' as name, unnest(stories)::text as id union all select 'interviews', unnest(interviews)::text
    union all select 'quotes', unnest(quotes)::text union all select 'themes', unnest(themes)::text
    union all select 'storytellers', person::text where person is not null
    union all select 'story_comments', c.id::text from public.story_comments c where c.story_id = any (stories)
    union all select 'story_analysis', a.id::text from public.story_analysis a where a.story_id = any (stories)
    union all select 'elder_review_queue', q.id::text from public.elder_review_queue q where q.story_id = any (stories)
    union all select 'media_assets', m.id::text from public.media_assets m where m.storyteller_id = person or m.story_id = any (stories)
    union all select 'storyteller_contacts', c.id::text from public.storyteller_contacts c where c.storyteller_id = person
    union all select 'consents', c.id::text from public.consents c where c.storyteller_id = person or c.story_id = any (stories)
    union all select 'storyteller_claims', c.id::text from public.storyteller_claims c where c.storyteller_id = person
    union all select 'authorship', a.id::text from public.authorship a where a.storyteller_id = person or a.story_id = any (stories)
    union all select 'interview_storytellers', p.id::text from public.interview_storytellers p where p.storyteller_id = person
    union all
    select distinct 'community_insights', c.insight_id::text from public.community_insight_stories c where c.story_id = any (stories || shared)
  ) g;

  -- With everybody else's open request for the same: a request for what is gone could not stay open.
  update public.erasure_requests e set state = 'done', done_at = now(), reason = null
  where e.state = 'requested' and (e.id = request or e.storyteller_id = person or e.story_id = any (stories));

  -- Tombstones, and then the records as delivered.
  insert into migration.erasures (base_id, table_id, record_id, request_id)
  select distinct t.airtable_base_id, t.airtable_table_id, t.airtable_record_id, request from (
    select x.airtable_base_id, x.airtable_table_id, x.airtable_record_id from public.stories x where x.id = any (stories)
    union all select x.airtable_base_id, x.airtable_table_id, x.airtable_record_id from public.interviews x where x.id = any (interviews)
    union all select x.airtable_base_id, x.airtable_table_id, x.airtable_record_id from public.quotes x where x.id = any (quotes)
    union all select x.airtable_base_id, x.airtable_table_id, x.airtable_record_id from public.themes x where x.id = any (themes)
    union all select x.airtable_base_id, x.airtable_table_id, x.airtable_record_id from public.storytellers x where x.id = person
  ) t where t.airtable_record_id is not null
  on conflict do nothing;
  insert into migration.erased_files (object_key, request_id)
  select distinct m.object_key, request from public.media_assets m
  where (m.storyteller_id = person or m.story_id = any (stories)) and m.object_key is not null
    and not exists (
      select from public.media_assets o where o.object_key = m.object_key
        and o.storyteller_id is distinct from person and (o.story_id is null or o.story_id <> all (stories))
    )
  on conflict do nothing;
  delete from airtable.comments c using migration.erasures e
  where e.request_id = request and (c.base_id, c.table_id, c.record_id) = (e.base_id, e.table_id, e.record_id);
  delete from airtable.attachments a using migration.erasures e
  where e.request_id = request and (a.base_id, a.table_id, a.record_id) = (e.base_id, e.table_id, e.record_id);
  delete from airtable.records a using migration.erasures e
  where e.request_id = request and (a.base_id, a.table_id, a.record_id) = (e.base_id, e.table_id, e.record_id);

  perform private.redact_mentions(request);

  set constraints all deferred;
  -- Money stays on the books, what was written beside it does not.
  update public.value_events e set description = null where e.story_id = any (stories) and e.description is not null;
  update public.value_distributions d set note = null where d.storyteller_id = person and d.note is not null;
  delete from public.community_insights i
  where i.id in (select c.insight_id from public.community_insight_stories c where c.story_id = any (stories || shared));
  -- A story told together stays with the others, closed, until a person has decided about its words.
  update public.stories s set status = 'archived', published_at = null, privacy = 'private' where s.id = any (shared);
  delete from public.authorship a where a.storyteller_id = person or a.story_id = any (stories);
  delete from public.media_assets m where m.storyteller_id = person or m.story_id = any (stories);
  delete from public.quote_interviews l where l.quote_id = any (quotes) or l.interview_id = any (interviews);
  delete from public.interview_themes l where l.interview_id = any (interviews) or l.theme_id = any (themes);
  delete from public.story_interviews l where l.story_id = any (stories) or l.interview_id = any (interviews);
  delete from public.interview_storytellers p where p.storyteller_id = person;
  delete from public.quotes q where q.id = any (quotes);
  delete from public.themes h where h.id = any (themes);
  delete from public.interviews i where i.id = any (interviews);
  delete from public.consents c where c.storyteller_id = person or c.story_id = any (stories);
  update public.consent_events e set evidence = null where e.story_id = any (stories);
  delete from public.stories s where s.id = any (stories);
  if person is not null then
    delete from public.storyteller_contacts c where c.storyteller_id = person;
    delete from public.storyteller_claims c where c.storyteller_id = person;
    delete from public.consent_events e where e.storyteller_id = person;
    -- Money that was paid stays on the books, against a row without a person.
    is_shell := exists (select from public.value_distributions d where d.storyteller_id = person);
    if is_shell then
      update public.storytellers t set
        name = '(erased)', preferred_name = null, project_id = null, project_text = null, organisation_id = null,
        organisation_text = null, location_id = null, location_text = null, role = null, bio = null, personal_quote = null,
        reflection = null, website_themes = null, tags = null, raw_media_url = null, consent_status = null,
        consent_preferences = null, anonymity_preference = null, recorded_on = null, profile_id = null, community_id = null,
        privacy = 'private', show_name = false, show_photo = false, show_bio = false, show_organisation = false,
        show_location = false, airtable_record_id = null, airtable_created_at = null, source_hash = null
      where t.id = person;
    else
      delete from public.storytellers t where t.id = person;
    end if;
  end if;
  set constraints all immediate;

  -- The log keeps that it happened; the images, those of this very transaction too, keep no word.
  delete from audit.images i using unnest(gone_tables, gone_ids) g (name, id) where i.table_name = g.name and i.row_id = g.id;
  perform private.forget_images(person, stories);
  insert into audit.log (table_name, row_id, action, who) select g.name, g.id, 'erase', auth.uid() from unnest(gone_tables, gone_ids) g (name, id);
  tally := jsonb_build_object(
    'stories', cardinality(stories), 'stories_told_with_others', cardinality(shared), 'interviews', cardinality(interviews),
    'quotes', cardinality(quotes), 'themes', cardinality(themes), 'storyteller', person is not null, 'kept_for_the_books', is_shell,
    'files', (select count(*) from migration.erased_files f where f.request_id = request)
  );
  update public.erasure_requests e set counts = tally where e.id = request;
  update audit.images i set before = i.before - 'reason', after = i.after - 'reason'
  where i.table_name = 'erasure_requests' and i.row_id = request::text;
  return tally;
end;
$$;

-- An account that goes takes along what its requests say; without one, the stories stay with the storyteller.
create or replace function private.account_goes() returns trigger
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  open_request record;
begin
  for open_request in
    select e.id, e.scope from public.erasure_requests e
    where e.requested_by = old.id and e.state = 'requested' order by e.requested_at, e.id
  loop
    if open_request.scope = 'account' then
      update public.erasure_requests e set state = 'done', done_at = now() where e.id = open_request.id;
    elsif exists (
      -- Not done together with an earlier one, and still theirs: else it waits for a person to look at it.
      select from public.erasure_requests e
      where e.id = open_request.id and e.state = 'requested' and exists (
        select from public.storytellers t left join public.authorship a on a.storyteller_id = t.id
        where t.profile_id = old.id and (t.id = e.storyteller_id or a.story_id = e.story_id)
      )
    ) then
      perform private.erase(open_request.id);
    end if;
  end loop;
  -- The cascade would write their images after everything else, when account_is_gone has looked already.
  delete from public.story_comments c where c.profile_id = old.id;
  return old;
end;
$$;
create or replace trigger account_goes before delete on public.profiles for each row execute function private.account_goes();

-- The images of a profile and of what went with it hold that person's words.
create or replace function private.account_is_gone() returns trigger
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  delete from audit.images i where i.table_name = 'profiles' and i.row_id = old.id::text;
  delete from audit.images i where i.table_name = 'story_comments'
    and coalesce(i.before ->> 'profile_id', i.after ->> 'profile_id') = old.id::text;
  update public.erasure_requests e set reason = null where e.requested_by = old.id and e.reason is not null;
  update audit.images i set before = i.before - 'reason', after = i.after - 'reason'
  where i.table_name = 'erasure_requests' and coalesce(i.before ->> 'requested_by', i.after ->> 'requested_by') = old.id::text;
  return null;
end;
$$;
create or replace trigger zz_account_is_gone after delete on public.profiles for each row execute function private.account_is_gone();

create or replace function public.claim_storyteller(code text) returns text
  language sql volatile security invoker set search_path = '' as $$ select private.claim_storyteller(code) $$;
create or replace function public.claims_to_confirm() returns table (
  claim_id uuid, storyteller_id uuid, storyteller text, claimed_by uuid, claimed_by_name text, claimed_at timestamptz
) language sql stable security invoker set search_path = '' as $$ select * from private.claims_to_confirm() $$;
create or replace function public.confirm_claim(claim uuid, confirmed boolean) returns boolean
  language sql volatile security invoker set search_path = '' as $$ select private.confirm_claim(claim, confirmed) $$;
create or replace function public.issue_claim_code(storyteller uuid, valid_for interval default '14 days') returns text
  language sql volatile security invoker set search_path = '' as $$ select private.issue_claim_code(storyteller, valid_for) $$;
create or replace function public.validate_analysis(analysis uuid, valid boolean) returns boolean
  language sql volatile security invoker set search_path = '' as $$ select private.validate_analysis(analysis, valid) $$;
create or replace function public.maintenance_state() returns jsonb
  language sql stable security invoker set search_path = '' as $$ select private.maintenance_state() $$;
create or replace function public.split_value(event uuid, shares jsonb) returns integer
  language sql volatile security invoker set search_path = '' as $$ select private.split_value(event, shares) $$;
create or replace function public.carry_out_erasure(request uuid) returns jsonb
  language sql volatile security invoker set search_path = '' as $$ select private.erase(request) $$;
comment on function public.claim_storyteller is 'Claim a storyteller by a one-time code; five tries an hour; a steward confirms.';
comment on function public.claims_to_confirm is 'Claims that the caller may confirm as elder or steward.';
comment on function public.confirm_claim is 'Confirm or refuse a claim.';
comment on function public.issue_claim_code is 'A new one-time code for a storyteller; earlier codes end.';
comment on function public.validate_analysis is 'Validate an analysis as its storyteller or as an elder of its community.';
comment on function public.maintenance_state is 'Whether writing is frozen, why and until when.';
comment on function public.split_value is 'Share out a value event by percentages, to the cent.';
comment on function public.carry_out_erasure is 'Carry out an erasure request.';

revoke all on function
  private.issue_claim_code(uuid, interval), private.claim_storyteller(text), private.claims_to_confirm(),
  private.confirm_claim(uuid, boolean), private.validate_analysis(uuid, boolean), private.maintenance_state(),
  private.split_value(uuid, jsonb), private.obstacles(uuid), private.publish_story(uuid, text), private.redact_mentions(uuid), private.erase(uuid),
  private.story_needs_teller(), private.forget_images(uuid, uuid[]),
  private.account_goes(), private.account_is_gone(), public.claim_storyteller(text), public.claims_to_confirm(),
  public.confirm_claim(uuid, boolean), public.issue_claim_code(uuid, interval), public.validate_analysis(uuid, boolean),
  public.maintenance_state(), public.split_value(uuid, jsonb), public.carry_out_erasure(uuid)
from public, anon, authenticated, service_role;
grant execute on function private.maintenance_state(), public.maintenance_state() to anon, authenticated, service_role;
grant execute on function
  private.claim_storyteller(text), public.claim_storyteller(text), private.validate_analysis(uuid, boolean),
  public.validate_analysis(uuid, boolean)
to authenticated;
grant execute on function private.claims_to_confirm(), public.claims_to_confirm(), private.confirm_claim(uuid, boolean), public.confirm_claim(uuid, boolean)
to authenticated, service_role;
grant execute on function
  private.issue_claim_code(uuid, interval), public.issue_claim_code(uuid, interval), private.split_value(uuid, jsonb),
  public.split_value(uuid, jsonb), private.erase(uuid), public.carry_out_erasure(uuid)
to service_role
