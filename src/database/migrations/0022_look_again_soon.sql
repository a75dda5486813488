-- What keeps entries past their time may be over in seconds: a ledger that has just begun seals them, a receiver is back. They are said to
-- wait until the next look, so it comes after as long as they have waited, and no longer always an hour later.

-- How long an organization is left alone after a look at all of its entries: not for less than is worth a look, nor for more than an
-- hour. `waited`: since the first look that left some to a destination or to the ledger; null: none are left.
create function audit.pause_between_looks(keep_for interval, waited interval) returns interval language sql stable
set search_path = pg_catalog, pg_temp as $$
  -- `least` passes over a null.
  select least(greatest(least(keep_for, interval '1 year') / 200, interval '1 second'), interval '1 hour',
    case when waited is not null then greatest(waited, interval '5 seconds') end)
$$;
revoke execute on function audit.pause_between_looks(interval, interval) from public;

-- As in 0018, but for that pause.
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
    pause_for := audit.pause_between_looks(keep_for, clock_timestamp() - p.waiting_since);
    select e.occurred_at into oldest from audit.entries e where e.organization = organization_name and e.occurred_at >= cutoff
    order by e.occurred_at limit 1;
    p.next_look_at := case
      when cutoff = '-infinity' then case when p.untold > 0 then clock_timestamp() + interval '1 hour' else 'infinity'::timestamptz end
      when p.undelivered + p.parked + p.unsealed > 0 then clock_timestamp() + pause_for
      -- How long until the oldest is as old as the cutoff, a day at most: entries may come in that are old already.
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
