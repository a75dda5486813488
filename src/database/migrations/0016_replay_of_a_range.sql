-- Sends a range of entries to a destination once more. A replay is a stream with an end: its own row, position and numbers, sent by
-- whoever holds the stream that it repeats, and gone 30 days after it has ended.

alter table audit.streams
  -- The stream whose entries it sends again; null: it is no replay.
  add column replay_of       uuid references audit.streams on delete cascade,
  -- Entries dated from `replay_since` to before `replay_until`.
  add column replay_since    timestamptz,
  add column replay_until    timestamptz,
  add column replay_by       text,
  -- How many there were when they were read; null: not counted.
  add column replay_total    bigint,
  -- At most so many entries of the range were gone by retention when it was asked for.
  add column replay_gone     bigint,
  add column replay_ended_at timestamptz,
  -- Who canceled it; null: nobody.
  add column replay_canceled_by text,
  -- Of a stream: the last value of the annotation auditexport.dev/replay that was acted on.
  add column replay_request  text,
  add constraint replay_has_a_range check (
    (replay_of is null) = (replay_since is null) and (replay_of is null) = (replay_until is null) and replay_since < replay_until);
create index streams_replay on audit.streams (replay_of, created_at) where replay_of is not null;

-- Asks for a replay and returns its id. One that is under way is waited for.
create function audit.ask_replay(stream_id uuid, since timestamptz, until timestamptz, asked_by text, is_told boolean) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  s audit.streams;
  problem text;
  code text := '22023';
  id uuid;
  gone bigint;
begin
  -- One after the other, or each would find that nine wait.
  perform pg_advisory_xact_lock(hashtext('audit.ask_replay'), hashtext(stream_id::text));
  select * into s from audit.streams where audit.streams.id = stream_id and replay_of is null;
  -- Of nothing both would make something.
  since := case when since is not null then greatest(since, '1970-01-01') end;
  until := case when until is not null then least(until, clock_timestamp()) end;
  if s.id is null then
    problem := format('There is no export %s: select id, destination from audit.streams where replay_of is null lists them.', coalesce(stream_id::text, 'null'));
  elsif since is null or until is null then
    problem := 'A replay needs both times, from and until: give ''-infinity'' and ''infinity'' for everything until now.';
  elsif since >= until then
    problem := format('A replay sends entries dated from one time to before another, and %s is not before %s: correct one of the two.', since, until);
  elsif (select count(*) from audit.streams r where r.replay_of = s.id and r.replay_ended_at is null) >= 10 then
    code := '54000';
    problem := 'Ten replays of this export are not done yet: wait for one, or cancel one with audit.cancel_replay.';
  end if;
  if problem is not null then raise exception using errcode = code, message = problem; end if;
  select sum((e.metadata ->> 'count')::bigint) into gone from audit.entries e
  where e.organization = s.organization and e.event_type = 'audit_log.entries_expired'
    and (e.metadata ->> 'from')::timestamptz < until and (e.metadata ->> 'until')::timestamptz >= since;
  id := gen_random_uuid();
  insert into audit.streams (id, config_key, organization, cluster, settled, replay_of, replay_since, replay_until, replay_by, replay_gone)
  select id, 'replay/' || id, s.organization, c.system_identifier, '3:3:', s.id, since, until, asked_by, coalesce(gone, 0)
  from audit.clusters c order by c.system_identifier = audit.cluster_id(), c.ordinal limit 1;
  if is_told then
    insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, metadata)
    values (s.organization, 'audit_export.replay_requested', asked_by, asked_by, 'system', jsonb_build_object(
      'destination', coalesce(s.destination, s.config_key), 'replay', id, 'from', since, 'until', until));
  end if;
  return id;
end $$;

-- Sends the entries of a destination (its NAME, or NAMESPACE.NAME) that are dated from `since` to before `until` once more. Returns the
-- replay's id, which its records carry as audit.replay.id. The owner of the schema may call it, and whom the owner lets.
create function audit.replay(destination_name text, since timestamptz, until timestamptz, organization_name text default null)
returns uuid language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found_ids uuid[];
  names text;
begin
  select array_agg(s.id), string_agg(format('%s of %s', s.destination, s.organization), ', ' order by s.destination, s.organization)
  into found_ids, names from audit.streams s
  where s.replay_of is null and coalesce(not s.config ? 'deleted', true)
    and destination_name in (s.destination, substr(s.destination, strpos(s.destination, '.') + 1))
    and (organization_name is null or s.organization = organization_name);
  if found_ids is null then
    raise exception using errcode = '22023', message = format('There is no destination %s%s: select distinct destination, organization from audit.streams where replay_of is null lists them.',
      coalesce(destination_name, 'null'), coalesce(' of ' || organization_name, ''));
  elsif cardinality(found_ids) > 1 then
    raise exception using errcode = '22023', message = format('%s may be any of: %s. Give NAMESPACE.NAME, and the organization as the fourth argument.', destination_name, names);
  end if;
  return audit.ask_replay(found_ids[1], since, until, session_user::text, true);
end $$;

-- Ends a replay where it is. What was sent stays sent. False: it has ended, or there is none.
create function audit.cancel_replay(replay uuid) returns boolean language sql security definer set search_path = pg_catalog, pg_temp as $$
  with canceled as (
    -- The token fences off whoever sends it.
    update audit.streams set replay_ended_at = clock_timestamp(), replay_canceled_by = session_user, token = token + 1
    where id = replay and replay_of is not null and replay_ended_at is null returning 1)
  select exists (select from canceled)
$$;

-- What the receiver refused in a replay waits for no other: the stream itself has its own.
create or replace function audit.replay_parked(organization_name text) returns bigint language sql
set search_path = pg_catalog, pg_temp as $$
  select coalesce(sum(audit.replay_parked(id)), 0)::bigint from audit.streams where organization = organization_name and replay_of is null
$$;

revoke execute on function audit.ask_replay(uuid, timestamptz, timestamptz, text, boolean),
  audit.replay(text, timestamptz, timestamptz, text), audit.cancel_replay(uuid) from public;

-- Waits for no replay: an entry that goes before a replay comes to it is one that the replay says it did not find. Otherwise as in 0013.
create or replace function audit.delete_expired(organization_name text, most integer default 1000)
  returns table (busy boolean, deleted integer, looked_at integer, is_whole boolean, next_look_at timestamptz)
  language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set intervalstyle = 'postgres'
  set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
#variable_conflict use_column
declare
  p audit.retention_progress;
  keep_for interval;
  cutoff timestamptz;
  seen record;
  oldest timestamptz;
  pause_for interval;
begin
  busy := false; deleted := 0; looked_at := 0; is_whole := true; next_look_at := 'infinity';
  -- In a snapshot of before, a hold placed since then would not be seen.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using errcode = '25001', message = 'audit.delete_expired runs at isolation level read committed only: begin the transaction at that.';
  end if;
  if most is null or most < 1 or most > 10000 then
    raise exception using errcode = '22023', message = format('audit.delete_expired takes 1 to 10000 entries at once, and %s is outside.', coalesce(most::text, 'null'));
  end if;
  -- Before all else: whoever locks the table for all organizations waits for this, or is waited for.
  begin
    lock table audit.retention_progress in row exclusive mode nowait;
  exception when lock_not_available then
    busy := true; is_whole := false; next_look_at := now();
    return next; return;
  end;
  if not exists (select from audit.retention_progress r where r.organization = organization_name) then
    -- Nobody's, or a name that no entry can have.
    if not exists (select from audit.entries e where e.organization = organization_name and length(organization_name) between 1 and 256) then
      return next; return;
    end if;
    insert into audit.retention_progress (organization) values (organization_name) on conflict do nothing;
  end if;
  select * into p from audit.retention_progress where organization = organization_name for update skip locked;
  if p.organization is null then
    busy := true; is_whole := false; next_look_at := now();
    return next; return;
  end if;
  perform audit.tell_retention(organization_name, (select set_by from audit.retention where organization in (organization_name, '*')
    order by organization = '*' limit 1));
  keep_for := audit.retention_of(organization_name);
  cutoff := audit.expired_before(organization_name);

  with expired as materialized (
    select e.id, e.cluster, e.xid, e.occurred_at, e.actor_id from audit.entries e
    where e.organization = organization_name and e.occurred_at < cutoff
      and (e.occurred_at, e.id) > (coalesce(p.after_at, '-infinity'), coalesce(p.after_id, 0))
    order by e.occurred_at, e.id limit most
  ), streams as materialized (
    select s.id, s.cluster, s.settled, s.other_clusters, coalesce(s.destination, s.config_key) as name from audit.streams s
    where s.organization = organization_name and s.replay_of is null and not audit.is_let_go(s.config,
      exists (select from audit.replicas r where r.id = s.holder and r.expires_at > clock_timestamp()))
  ), judged as materialized (
    select e.id, e.occurred_at,
      array(select s.name from streams s where not coalesce(pg_visible_in_snapshot(e.xid,
        case when s.cluster = e.cluster then s.settled else (s.other_clusters ->> e.cluster::text)::pg_snapshot end), false)) as missing,
      array(select s.name from audit.parked k join streams s on s.id = k.stream where k.entry_id = e.id) as parked,
      exists (select from audit.holds h where h.organization in (organization_name, '*') and h.released_at is null
        and (h.since is null or e.occurred_at >= h.since) and (h.until is null or e.occurred_at < h.until)
        and (h.actor_id is null or h.actor_id = e.actor_id)) as held
    from expired e
  ), gone as (
    -- An array, so that each is looked up by its key, whatever the planner believes of their number.
    -- Date and holds once more: the owner may have changed the row since it was read.
    delete from audit.entries e where e.id = any (array(select j.id from judged j where not j.held and j.missing = '{}' and j.parked = '{}'))
      and e.occurred_at < cutoff and not exists (select from audit.holds h where h.organization in (organization_name, '*')
        and h.released_at is null and (h.since is null or e.occurred_at >= h.since) and (h.until is null or e.occurred_at < h.until)
        and (h.actor_id is null or h.actor_id = e.actor_id))
    returning e.id, e.occurred_at, e.event_type
  ), replayed as (
    delete from audit.replayed r where r.entry_id = any (array(select id from gone))
  ), let_go as (
    -- Of streams that nobody waits for.
    delete from audit.parked k where k.entry_id = any (array(select id from gone))
  )
  select (select count(*) from expired) as looked, (select count(*) from gone) as deleted,
    -- Not what was said of earlier ones, or it would be said forever.
    (select count(*) from gone where event_type <> 'audit_log.entries_expired') as to_tell,
    (select min(occurred_at) from gone) as deleted_from, (select max(occurred_at) from gone) as deleted_until,
    (select count(*) from judged where missing <> '{}') as undelivered,
    (select count(*) from judged where parked <> '{}') as parked,
    (select count(*) from judged where held) as held,
    (select coalesce(array_agg(distinct name), '{}') from judged, unnest(missing || parked) as name) as names,
    last.occurred_at as last_at, last.id as last_id
  into seen from (select) as one left join (select occurred_at, id from expired order by occurred_at desc, id desc limit 1) as last on true;

  deleted := seen.deleted; looked_at := seen.looked; is_whole := seen.looked < most;
  p.left_undelivered := p.left_undelivered + seen.undelivered;
  p.left_parked := p.left_parked + seen.parked;
  p.left_held := p.left_held + seen.held;
  p.left_for := (array(select distinct name from unnest(p.left_for || seen.names) as name order by name))[1:10];
  p.deleted := p.deleted + seen.deleted;
  p.untold := p.untold + seen.to_tell;
  p.untold_from := least(p.untold_from, seen.deleted_from);
  p.untold_until := greatest(p.untold_until, seen.deleted_until);
  if is_whole then
    delete from audit.search_blocks b where b.organization = organization_name and b.newest < cutoff
      and not exists (select from audit.entries e where e.organization = b.organization and e.cluster = b.cluster
        and (e.xid, e.id) >= (b.first_xid, b.first_id) and (e.xid, e.id) <= (b.last_xid, b.last_id));
    -- A stream that is sent keeps a month of its history by itself (0002). Its filters stay, in case its config comes back.
    delete from audit.stream_history h using audit.streams s
    where s.organization = organization_name and h.stream = s.id and h.at < now() - interval '30 days' and audit.is_let_go(s.config,
      exists (select from audit.replicas r where r.id = s.holder and r.expires_at > clock_timestamp()));
    p.undelivered := p.left_undelivered; p.parked := p.left_parked; p.held := p.left_held; p.waits_for := p.left_for;
    p.waiting_since := case when p.undelivered + p.parked > 0 then coalesce(p.waiting_since, clock_timestamp()) end;
    p.left_undelivered := 0; p.left_parked := 0; p.left_held := 0; p.left_for := '{}';
    p.after_at := null; p.after_id := null;
    -- Not sooner than is worth a look, not later than a day: entries may come in that are old already.
    pause_for := least(greatest(least(keep_for, interval '1 year') / 200, interval '1 second'), interval '1 hour');
    select e.occurred_at into oldest from audit.entries e where e.organization = organization_name and e.occurred_at >= cutoff
    order by e.occurred_at limit 1;
    p.next_look_at := case
      when cutoff = '-infinity' then case when p.untold > 0 then clock_timestamp() + interval '1 hour' else 'infinity'::timestamptz end
      when p.undelivered + p.parked > 0 then clock_timestamp() + pause_for
      -- How long until the oldest is as old as the cutoff.
      else clock_timestamp() + least(greatest(oldest - cutoff, pause_for), greatest(pause_for, least(keep_for, interval '1 day'))) end;
  else
    p.after_at := seen.last_at; p.after_id := seen.last_id; p.next_look_at := clock_timestamp();
  end if;
  next_look_at := p.next_look_at;

  if p.untold > 0 and p.told_on is distinct from (now() at time zone 'UTC')::date and (is_whole or p.told_on is not null) then
    perform audit.write_retention_entry(organization_name, 'audit_log.entries_expired', jsonb_strip_nulls(jsonb_build_object(
      'count', p.untold, 'from', p.untold_from, 'until', p.untold_until, 'kept', keep_for::text)));
    p.untold := 0; p.untold_from := null; p.untold_until := null;
    p.told_on := (now() at time zone 'UTC')::date;
  end if;
  update audit.retention_progress r set after_at = p.after_at, after_id = p.after_id, next_look_at = p.next_look_at,
    left_undelivered = p.left_undelivered, left_parked = p.left_parked, left_held = p.left_held, left_for = p.left_for,
    undelivered = p.undelivered, parked = p.parked, held = p.held, waits_for = p.waits_for, waiting_since = p.waiting_since,
    deleted = p.deleted, untold = p.untold, untold_from = p.untold_from, untold_until = p.untold_until, told_on = p.told_on
  where r.organization = organization_name;
  return next;
end $$;

create or replace function audit.grant_collector(role_name name) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  perform audit.grant_writer(role_name);
  execute format('grant select on all tables in schema audit to %I', role_name);
  execute format('grant insert, update, delete on audit.clusters, audit.replicas, audit.streams, audit.parked, audit.page_sessions, audit.stream_history, audit.stream_filters, audit.replayed, audit.search_positions, audit.search_blocks to %I', role_name);
  execute format('grant execute on function audit.replay_parked(uuid), audit.replay_parked(text), audit.fold(text), audit.search_text(text, text, text, text, text, jsonb), audit.retention_of(text), audit.delete_expired(text, integer), audit.find_retained_organizations(), audit.ask_replay(uuid, timestamptz, timestamptz, text, boolean), audit.cancel_replay(uuid) to %I', role_name);
end $$;
select audit.grant_collectors_again();
