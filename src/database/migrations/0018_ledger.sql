-- Ledgers: an organization's entries sealed in a Merkle tree, whose root proves that none was changed, taken out or slipped in since.

-- One ledger in force for each organization. What was sealed stays, also once a person has begun a new one.
create table audit.ledgers (
  -- The last part of its origin, NAME/ID.
  id               uuid primary key default gen_random_uuid(),
  organization     text not null check (organization <> '' and length(organization) <= 256),
  -- The setting LEDGER_NAME, until the first signature fixes it.
  name             text not null,
  created_at       timestamptz not null default now(),

  -- Everything of `cluster` that is visible in `settled` is sealed; as audit.streams has it.
  cluster          bigint not null,
  settled          pg_snapshot not null default '3:3:',
  other_clusters   jsonb not null default '{}',
  -- The window being sealed, and the last sealed entry of it.
  window_snapshot  pg_snapshot,
  window_pinned_at timestamptz,
  position_xid     xid8,
  position_id      bigint,

  -- Leaves, and the hashes of the full subtrees that they make, largest first (RFC 9162, 2.1).
  size             bigint not null default 0 check (size >= 0),
  state            bytea not null default '',

  -- The latest checkpoint, as it left the house: the note is text, but not every database can keep its dash as such.
  note             bytea,
  note_size        bigint,
  note_root        bytea,
  noted_at         timestamptz,
  is_signed        boolean not null default false,
  -- The size that the latest entry `audit_log.sealed` names, and when it was written.
  told_size        bigint not null default 0,
  told_at          timestamptz,

  -- Numbers, from 1, of sealed entries that retention has deleted.
  let_go           int8multirange not null default '{}',
  -- The next bundle to compare with the table, and the next entry to compare with the bundles.
  scrub_number     bigint not null default 0,
  scrub_cluster    bigint,
  scrub_xid        xid8,
  scrub_id         bigint,
  -- When the last comparison of everything began and ended.
  scrub_began_at   timestamptz,
  scrubbed_at      timestamptz,

  -- Why nothing more is sealed or signed, until a person acts; null: it goes on.
  stopped          jsonb,
  -- Until then another collector leaves it to the one that works on it.
  claimed_until    timestamptz,

  -- A person has begun a new one.
  ended_at         timestamptz,
  ended_by         text,
  -- The ledger before this one.
  follows          uuid references audit.ledgers,

  check ((window_snapshot is null) = (window_pinned_at is null)),
  check ((position_xid is null) = (position_id is null)),
  check (position_xid is null or window_snapshot is not null),
  check (octet_length(state) = 32 * bit_count(size::bit(64))),
  check ((note is null) = (note_size is null) and (note is null) = (note_root is null) and (note is null) = (noted_at is null))
);
create unique index ledgers_in_force on audit.ledgers (organization) where ended_at is null;

-- 256 leaves, 56 bytes each: id (8, big-endian), uid (16), fingerprint (32; zeros: the entry could not be read). The last may have fewer.
create table audit.ledger_bundles (
  ledger  uuid not null references audit.ledgers,
  number  bigint not null check (number >= 0),
  entries bytea not null check (octet_length(entries) between 56 and 14336 and octet_length(entries) % 56 = 0),
  -- The ids in it lie between these.
  min_id  bigint not null,
  max_id  bigint not null,
  -- The root of all 256; null: not full.
  hash    bytea check (octet_length(hash) = 32),
  primary key (ledger, number),
  check (hash is not null or octet_length(entries) < 14336)
);
-- Hashes cannot be compressed.
alter table audit.ledger_bundles alter column entries set storage external;
-- Ids rise with the numbers, nearly: the first bundle with such a max_id is almost always the one.
create index ledger_bundles_by_id on audit.ledger_bundles (ledger, max_id) include (min_id);

-- Where table and ledger differ, as a collector has found it.
create table audit.ledger_findings (
  ledger      uuid not null references audit.ledgers,
  entry_id    bigint not null,
  -- changed, missing, replaced, moved, slipped-in, unreadable, bundle, history
  kind        text not null,
  -- From 1; null: the entry has none.
  number      bigint,
  found_at    timestamptz not null default now(),
  -- A later comparison has found nothing there.
  resolved_at timestamptz,
  primary key (ledger, entry_id, kind)
);
create index ledger_findings_open on audit.ledger_findings (ledger) where resolved_at is null;

alter table audit.retention_progress
  add column left_unsealed bigint not null default 0,
  add column unsealed      bigint not null default 0;

-- The place, from 0, of an entry's leaf in a bundle; null: it is not there.
create function audit.leaf_place(entries bytea, entry_id bigint) returns integer language sql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
  select case
    when p > 0 and (p - 1) % 56 = 0 then (p - 1) / 56
    -- Bytes that look like it, across two leaves or in a hash.
    when p > 0 then (select min(i) from generate_series(0, octet_length(entries) / 56 - 1) as i
      where substring(entries from 56 * i + 1 for 8) = int8send(entry_id)) end
  from position(int8send(entry_id) in entries) as p
$$;

-- The numbers, from 1, of those entries that are in the ledger.
create function audit.ledger_numbers(ledger_id uuid, ids bigint[]) returns int8multirange language plpgsql stable
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  wanted bigint;
  place integer;
  bundle bigint;
  leaves bytea := '';
  numbers bigint[] := '{}';
begin
  for wanted in select id from unnest(ids) as id order by id loop
    place := audit.leaf_place(leaves, wanted);
    if place is null then
      bundle := null;
      select b.number, b.entries || ''::bytea into bundle, leaves from audit.ledger_bundles b
      where b.ledger = ledger_id and b.max_id >= wanted and b.min_id <= wanted and audit.leaf_place(b.entries, wanted) is not null
      order by b.max_id limit 1;
      leaves := coalesce(leaves, '');
      place := audit.leaf_place(leaves, wanted);
    end if;
    if place is not null then numbers := numbers || (bundle * 256 + place + 1); end if;
  end loop;
  return coalesce((select range_agg(int8range(n, n + 1)) from unnest(numbers) as n), '{}');
end $$;

-- `1-1200,1300`; null: none, or more ranges than an entry is to carry.
create function audit.describe_let_go(ledger_id uuid) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select case when count(*) <= 10000 then
    string_agg(case when upper(r) - lower(r) = 1 then lower(r)::text else format('%s-%s', lower(r), upper(r) - 1) end, ',' order by r) end
  from audit.ledgers l, unnest(l.let_go) as r where l.id = ledger_id
$$;

-- Begins a new ledger in place of the one in force, such as after a database was set back, and returns its id. The entries that are
-- there are sealed again; the old ledger stays. An entry names both, so that every receiver has it. The owner of the schema may call it.
create function audit.restart_ledger(organization_name text, reason text) returns uuid language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  old audit.ledgers;
  new_id uuid;
begin
  perform audit.check_retention_arguments('audit.restart_ledger', organization_name, reason, null);
  -- No batch of retention sees half of it.
  perform audit.lock_retention(organization_name);
  update audit.ledgers set ended_at = now(), ended_by = session_user where organization = organization_name and ended_at is null
  returning * into old;
  if old.id is null then
    raise exception using errcode = '22023', message = format('audit.restart_ledger takes an organization that has a ledger, and %s has none: correct the name.', organization_name);
  end if;
  insert into audit.ledgers (organization, name, cluster, follows)
  values (organization_name, old.name, coalesce((select c.system_identifier from audit.clusters c
    order by c.system_identifier = audit.cluster_id(), c.ordinal limit 1), audit.cluster_id()), old.id) returning id into new_id;
  perform audit.write_retention_entry(organization_name, 'audit_log.ledger_restarted', jsonb_strip_nulls(jsonb_build_object(
    'origin', old.name || '/' || new_id, 'reason', reason, 'by', session_user, 'stopped', old.stopped,
    'follows', jsonb_build_object('origin', old.name || '/' || old.id, 'size', old.note_size, 'root', encode(old.note_root, 'base64')))));
  return new_id;
end $$;

-- As in 0016. Where a ledger is kept, an entry stays until it is sealed, and the numbers of what went are kept: cumulative, so that the
-- latest entry `audit_log.entries_expired` names them all, and that one stays.
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
  sealing uuid;
  last_word bigint;
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
  sealing := (select l.id from audit.ledgers l where l.organization = organization_name and l.ended_at is null);
  -- It says which numbers of the ledger were let go, and nothing after it does.
  if sealing is not null then
    select e.id into last_word from audit.entries e
    where e.organization = organization_name and e.event_type = 'audit_log.entries_expired' order by e.occurred_at desc, e.id desc limit 1;
  end if;

  with expired as materialized (
    select e.id, e.cluster, e.xid, e.occurred_at, e.actor_id from audit.entries e
    where e.organization = organization_name and e.occurred_at < cutoff
      and (e.occurred_at, e.id) > (coalesce(p.after_at, '-infinity'), coalesce(p.after_id, 0)) and e.id is distinct from last_word
    order by e.occurred_at, e.id limit most
  ), streams as materialized (
    select s.id, s.cluster, s.settled, s.other_clusters, coalesce(s.destination, s.config_key) as name from audit.streams s
    where s.organization = organization_name and s.replay_of is null and not audit.is_let_go(s.config,
      exists (select from audit.replicas r where r.id = s.holder and r.expires_at > clock_timestamp()))
  ), ledgers as materialized (
    select l.cluster, l.settled, l.other_clusters from audit.ledgers l where l.id = sealing
  ), judged as materialized (
    select e.id, e.occurred_at,
      array(select s.name from streams s where not coalesce(pg_visible_in_snapshot(e.xid,
        case when s.cluster = e.cluster then s.settled else (s.other_clusters ->> e.cluster::text)::pg_snapshot end), false)) as missing,
      array(select s.name from audit.parked k join streams s on s.id = k.stream where k.entry_id = e.id) as parked,
      exists (select from audit.holds h where h.organization in (organization_name, '*') and h.released_at is null
        and (h.since is null or e.occurred_at >= h.since) and (h.until is null or e.occurred_at < h.until)
        and (h.actor_id is null or h.actor_id = e.actor_id)) as held,
      exists (select from ledgers l where not coalesce(pg_visible_in_snapshot(e.xid,
        case when l.cluster = e.cluster then l.settled else (l.other_clusters ->> e.cluster::text)::pg_snapshot end), false)) as unsealed
    from expired e
  ), gone as (
    -- An array, so that each is looked up by its key, whatever the planner believes of their number.
    -- Date and holds once more: the owner may have changed the row since it was read.
    delete from audit.entries e where e.id = any (array(select j.id from judged j where not j.held and not j.unsealed and j.missing = '{}' and j.parked = '{}'))
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
    (select array_agg(id) from gone) as ids,
    (select min(occurred_at) from gone) as deleted_from, (select max(occurred_at) from gone) as deleted_until,
    (select count(*) from judged where missing <> '{}') as undelivered,
    (select count(*) from judged where parked <> '{}') as parked,
    (select count(*) from judged where held) as held,
    (select count(*) from judged where unsealed) as unsealed,
    (select coalesce(array_agg(distinct name), '{}') from judged, unnest(missing || parked) as name) as names,
    last.occurred_at as last_at, last.id as last_id
  into seen from (select) as one left join (select occurred_at, id from expired order by occurred_at desc, id desc limit 1) as last on true;

  deleted := seen.deleted; looked_at := seen.looked; is_whole := seen.looked < most;
  p.left_undelivered := p.left_undelivered + seen.undelivered;
  p.left_parked := p.left_parked + seen.parked;
  p.left_held := p.left_held + seen.held;
  p.left_unsealed := p.left_unsealed + seen.unsealed;
  p.left_for := (array(select distinct name from unnest(p.left_for || seen.names) as name order by name))[1:10];
  if sealing is not null and seen.deleted > 0 then
    update audit.ledgers l set let_go = l.let_go + audit.ledger_numbers(sealing, seen.ids) where l.id = sealing;
  end if;
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
    p.undelivered := p.left_undelivered; p.parked := p.left_parked; p.held := p.left_held; p.unsealed := p.left_unsealed; p.waits_for := p.left_for;
    p.waiting_since := case when p.undelivered + p.parked + p.unsealed > 0 then coalesce(p.waiting_since, clock_timestamp()) end;
    p.left_undelivered := 0; p.left_parked := 0; p.left_held := 0; p.left_unsealed := 0; p.left_for := '{}';
    p.after_at := null; p.after_id := null;
    -- Not sooner than is worth a look, not later than a day: entries may come in that are old already.
    pause_for := least(greatest(least(keep_for, interval '1 year') / 200, interval '1 second'), interval '1 hour');
    select e.occurred_at into oldest from audit.entries e where e.organization = organization_name and e.occurred_at >= cutoff
    order by e.occurred_at limit 1;
    p.next_look_at := case
      when cutoff = '-infinity' then case when p.untold > 0 then clock_timestamp() + interval '1 hour' else 'infinity'::timestamptz end
      when p.undelivered + p.parked + p.unsealed > 0 then clock_timestamp() + pause_for
      -- How long until the oldest is as old as the cutoff.
      else clock_timestamp() + least(greatest(oldest - cutoff, pause_for), greatest(pause_for, least(keep_for, interval '1 day'))) end;
  else
    p.after_at := seen.last_at; p.after_id := seen.last_id; p.next_look_at := clock_timestamp();
  end if;
  next_look_at := p.next_look_at;

  if p.untold > 0 and p.told_on is distinct from (now() at time zone 'UTC')::date and (is_whole or p.told_on is not null) then
    perform audit.write_retention_entry(organization_name, 'audit_log.entries_expired', jsonb_strip_nulls(jsonb_build_object(
      'count', p.untold, 'from', p.untold_from, 'until', p.untold_until, 'kept', keep_for::text,
      'ledger', sealing, 'numbers', audit.describe_let_go(sealing))));
    p.untold := 0; p.untold_from := null; p.untold_until := null;
    p.told_on := (now() at time zone 'UTC')::date;
  end if;
  update audit.retention_progress r set after_at = p.after_at, after_id = p.after_id, next_look_at = p.next_look_at,
    left_undelivered = p.left_undelivered, left_parked = p.left_parked, left_held = p.left_held, left_unsealed = p.left_unsealed, left_for = p.left_for,
    undelivered = p.undelivered, parked = p.parked, held = p.held, unsealed = p.unsealed, waits_for = p.waits_for, waiting_since = p.waiting_since,
    deleted = p.deleted, untold = p.untold, untold_from = p.untold_from, untold_until = p.untold_until, told_on = p.told_on
  where r.organization = organization_name;
  return next;
end $$;

-- As in 0009, and also once a ledger has read this cluster: what it has sealed of another one says nothing about what comes in later.
create or replace function audit.take_over_entry() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from audit.replicas r where r.expires_at > pg_catalog.clock_timestamp())
    or exists (select from audit.streams s
      where s.cluster = audit.cluster_id() or s.other_clusters ? audit.cluster_id()::text)
    or exists (select from audit.ledgers l
      where l.cluster = audit.cluster_id() or l.other_clusters ? audit.cluster_id()::text)
  then
    new.cluster := audit.cluster_id();
    new.xid := pg_catalog.pg_current_xact_id();
  end if;
  return new;
end $$;

-- ---------------------------------------------------------------------------------------------------------------------
revoke execute on function audit.leaf_place(bytea, bigint), audit.ledger_numbers(uuid, bigint[]), audit.describe_let_go(uuid),
  audit.restart_ledger(text, text) from public;

-- No right to delete what is sealed.
create or replace function audit.grant_collector(role_name name) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  perform audit.grant_writer(role_name);
  execute format('grant select on all tables in schema audit to %I', role_name);
  execute format('grant insert, update, delete on audit.clusters, audit.replicas, audit.streams, audit.parked, audit.page_sessions, audit.stream_history, audit.stream_filters, audit.replayed, audit.search_positions, audit.search_blocks, audit.stream_hours, audit.stream_attempts to %I', role_name);
  execute format('grant insert, update on audit.ledgers, audit.ledger_bundles, audit.ledger_findings to %I', role_name);
  execute format('grant execute on function audit.replay_parked(uuid), audit.replay_parked(text), audit.fold(text), audit.search_text(text, text, text, text, text, jsonb), audit.retention_of(text), audit.delete_expired(text, integer), audit.find_retained_organizations(), audit.ask_replay(uuid, timestamptz, timestamptz, text, boolean), audit.cancel_replay(uuid), audit.leaf_place(bytea, bigint), audit.ledger_numbers(uuid, bigint[]) to %I', role_name);
end $$;
select audit.grant_collectors_again();
