-- Lets go of entries whose time has come. Whoever asks for it, the database itself refuses what is young, what a destination still
-- waits for, and what is held: the collector's role has no right to delete entries, and no right to say how long they are kept.

-- How long entries are kept, by `occurred_at`. '*' is for every organization without a row of its own.
create table audit.retention (
  organization text primary key check (organization <> '' and length(organization) <= 256),
  -- Null: forever.
  keep         interval check (keep > interval '0'),
  set_at       timestamptz not null default now(),
  -- The role, or RETENTION_DAYS for the setting.
  set_by       text not null
);

-- The owner's word: nothing younger goes, whatever the period. One row at most.
create table audit.retention_floor (
  is_only boolean primary key default true check (is_only),
  least   interval not null check (least >= interval '0')
);

-- Entries that stay, whatever the period, until the hold is released. '*' holds those of every organization.
create table audit.holds (
  id           bigint generated always as identity primary key,
  organization text not null check (organization <> '' and length(organization) <= 256),
  reason       text not null check (reason <> '' and length(reason) <= 1024),
  -- Only entries dated from `since` to before `until`; null: no bound.
  since        timestamptz,
  until        timestamptz,
  -- Only entries of this actor; null: of all.
  actor_id     text,
  placed_at    timestamptz not null default now(),
  placed_by    text not null,
  released_at  timestamptz,
  released_by  text,
  check (since < until),
  check ((released_at is null) = (released_by is null))
);
create index holds_in_force on audit.holds (organization) where released_at is null;

-- Where retention is with each organization. A row here is also the lock: whoever deletes entries, places a hold or begins a stream
-- has it, so that a batch sees every hold and every stream that is there when it begins. What is about all organizations locks the table.
create table audit.retention_progress (
  organization   text primary key check (organization <> '' and length(organization) <= 256),
  -- In force when it was last looked at, as the organization was told.
  keep           interval,
  -- The pass under way is behind this entry; null: none is.
  after_at       timestamptz,
  after_id       bigint,
  next_look_at   timestamptz not null default now(),
  -- Entries past their time that the pass under way has left, by what keeps them.
  left_undelivered bigint not null default 0,
  left_parked      bigint not null default 0,
  left_held        bigint not null default 0,
  left_for         text[] not null default '{}',
  -- The same of the last whole pass, and since when there are any.
  undelivered    bigint not null default 0,
  parked         bigint not null default 0,
  held           bigint not null default 0,
  -- Destinations (NAMESPACE.NAME) that have not taken them: ten at the most.
  waits_for      text[] not null default '{}',
  waiting_since  timestamptz,
  deleted        bigint not null default 0,
  -- Deleted, and not yet said in an entry.
  untold         bigint not null default 0,
  untold_from    timestamptz,
  untold_until   timestamptz,
  told_on        date,
  check ((after_at is null) = (after_id is null))
);
create index retention_progress_due on audit.retention_progress (next_look_at);
insert into audit.retention_progress (organization) select distinct organization from audit.streams where length(organization) <= 256;

-- What is deleted leaves space that vacuum must find sooner than at a fifth of a large table.
alter table audit.entries set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);

-- ---------------------------------------------------------------------------------------------------------------------
-- Who says how long.

-- How long entries of an organization are kept, as people are told; null: forever. What goes is decided by dates: `expired_before`.
create function audit.retention_of(organization_name text) returns interval language sql stable
set search_path = pg_catalog, pg_temp as $$
  select case when r.keep is not null then greatest(r.keep, (select least from audit.retention_floor)) end
  from audit.retention r where r.organization in (organization_name, '*') order by r.organization = organization_name desc limit 1
$$;

-- Entries dated before are past their time; '-infinity': none is. By the calendar of UTC, whatever the session's, and never by a sum of
-- month and days that comes out shorter than the floor.
create function audit.expired_before(organization_name text) returns timestamptz language plpgsql stable
set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  keep_for constant interval := (select r.keep from audit.retention r where r.organization in (organization_name, '*')
    order by r.organization = organization_name desc limit 1);
  floor_now constant interval := coalesce((select least from audit.retention_floor), interval '0');
begin
  if keep_for is null then return '-infinity'; end if;
  return least(clock_timestamp() - keep_for, clock_timestamp() - floor_now, clock_timestamp());
exception when datetime_field_overflow or interval_field_overflow then
  return '-infinity';
end $$;

-- Makes sure that the organization has its row, and keeps it locked until the transaction ends.
create function audit.lock_retention(organization_name text) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  -- An insert waits for a row that somebody else has changed, even if it is to do nothing.
  if not exists (select from audit.retention_progress where organization = organization_name) then
    insert into audit.retention_progress (organization) values (organization_name) on conflict do nothing;
  end if;
  perform from audit.retention_progress where organization = organization_name for update;
end $$;

-- The same for '*', which is every organization, also one that has no row yet: waits for every batch under way, and none begins.
create function audit.lock_retained(organization_name text) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  if organization_name = '*' then lock table audit.retention_progress in share row exclusive mode;
  else perform audit.lock_retention(organization_name);
  end if;
end $$;

-- The next look begins at the oldest entry: what was left by a pass may be due now.
create function audit.look_again(organization_name text) returns void language sql
set search_path = pg_catalog, pg_temp as $$
  update audit.retention_progress set next_look_at = now(), after_at = null, after_id = null, left_undelivered = 0, left_parked = 0,
    left_held = 0, left_for = '{}'
  where organization_name in (organization, '*')
$$;

-- One sentence for a name, a text or a period that cannot be.
create function audit.check_retention_arguments(caller text, organization_name text, reason text, period interval) returns void
language plpgsql set search_path = pg_catalog, pg_temp set intervalstyle = 'postgres' as $$
declare
  problem text;
begin
  if coalesce(organization_name, '') = '' then
    problem := format('%s needs an organization, or ''*'' for every one.', caller);
  elsif length(organization_name) > 256 then
    problem := format('%s takes an organization of at most 256 characters, and this one has %s: no entry has it.', caller, length(organization_name));
  elsif coalesce(reason, '') = '' then
    problem := format('%s needs a reason, which people read on the page: give one, such as the name of the case.', caller);
  elsif length(reason) > 1024 then
    problem := format('%s takes a reason of at most 1024 characters, and this one has %s: shorten it.', caller, length(reason));
  elsif period::text like '%-%' then
    problem := format('%s takes a period longer than nothing, and %s is none: give one such as ''365 days'', or null to keep entries forever.', caller, period);
  elsif period > interval '4000 years' then
    problem := format('%s takes a period of at most 4000 years, and %s is longer: give null to keep entries forever.', caller, period);
  end if;
  if problem is not null then raise exception using errcode = '22023', message = problem; end if;
end $$;

-- An entry about retention itself, written by nobody else than the functions here.
create function audit.write_retention_entry(organization_name text, type text, what jsonb) returns void language sql
set search_path = pg_catalog, pg_temp as $$
  insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, metadata)
  values (organization_name, type, what ->> 'by', what ->> 'by', 'system', what)
$$;

-- Tells the organization when its period has changed since it was told last. Its row is locked.
create function audit.tell_retention(organization_name text, by_whom text) returns void language plpgsql
set search_path = pg_catalog, pg_temp set intervalstyle = 'postgres' as $$
declare
  before interval;
  now_kept constant interval := audit.retention_of(organization_name);
begin
  select keep into before from audit.retention_progress where organization = organization_name;
  -- As text: to Postgres 360 days equal a year.
  if before::text is not distinct from now_kept::text then return; end if;
  update audit.retention_progress set keep = now_kept where organization = organization_name;
  perform audit.write_retention_entry(organization_name, 'audit_log.retention_changed', jsonb_strip_nulls(jsonb_build_object(
    'from', coalesce(before::text, 'forever'), 'to', coalesce(now_kept::text, 'forever'), 'by', by_whom)));
end $$;

create function audit.put_retention(organization_name text, keep_for interval, by_whom text) returns void language plpgsql
set search_path = pg_catalog, pg_temp set timezone = 'UTC' set intervalstyle = 'postgres' as $$
declare
  floor_now interval;
begin
  perform audit.check_retention_arguments('audit.set_retention', organization_name, 'none is needed', keep_for);
  if keep_for <= interval '0' then
    raise exception using errcode = '22023', message = format('audit.set_retention takes a period longer than nothing, and %s is none: give one such as ''365 days'', or null to keep entries forever.', keep_for);
  end if;
  perform audit.lock_retained(organization_name);
  floor_now := (select least from audit.retention_floor);
  if now() - keep_for > now() - floor_now then
    raise exception using errcode = '22023', message = format('audit.set_retention takes no period below the owner''s floor of %s, and %s is: give a longer one, or lower the floor with audit.set_retention_floor.', floor_now, keep_for);
  end if;
  insert into audit.retention as r (organization, keep, set_by) values (organization_name, keep_for, by_whom)
  on conflict (organization) do update set keep = excluded.keep, set_by = excluded.set_by, set_at = now()
    where r.keep::text is distinct from excluded.keep::text or r.set_by <> excluded.set_by;
  if organization_name <> '*' then perform audit.tell_retention(organization_name, by_whom); end if;
  perform audit.look_again(organization_name);
end $$;

-- Keeps entries of an organization for that long by their `occurred_at`, or with null forever. '*': of every organization without a
-- period of its own. The owner of the schema may call it, and whom the owner lets.
create function audit.set_retention(organization_name text, keep_for interval) returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  perform audit.put_retention(organization_name, keep_for, session_user::text);
end $$;

-- The organization has no period of its own any more: what '*' says holds.
create function audit.unset_retention(organization_name text) returns boolean language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  was_there boolean;
begin
  perform audit.check_retention_arguments('audit.unset_retention', organization_name, 'none is needed', null);
  perform audit.lock_retained(organization_name);
  delete from audit.retention where organization = organization_name returning true into was_there;
  if organization_name <> '*' then perform audit.tell_retention(organization_name, session_user::text); end if;
  perform audit.look_again(organization_name);
  return coalesce(was_there, false);
end $$;

-- What the setting RETENTION_DAYS says: the period of '*', as long as nobody has set that by SQL. null: the setting is gone.
-- Returns whether it holds.
create function audit.use_retention_days(days integer) returns boolean language plpgsql security definer
set search_path = pg_catalog, pg_temp set intervalstyle = 'postgres' as $$
declare
  known audit.retention;
begin
  select * into known from audit.retention where organization = '*';
  if known.set_by <> 'RETENTION_DAYS' then return days is null or known.keep::text is not distinct from make_interval(days => days)::text; end if;
  if days is null then
    if known.set_by is not null then perform audit.unset_retention('*'); end if;
  elsif known.keep::text is distinct from make_interval(days => days)::text then
    perform audit.put_retention('*', make_interval(days => days), 'RETENTION_DAYS');
  end if;
  return true;
end $$;

-- Nothing younger than this is deleted, whatever the periods are.
create function audit.set_retention_floor(least_kept interval) returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  if least_kept is null then
    raise exception using errcode = '22023', message = 'audit.set_retention_floor needs a period: give ''0'' for no floor.';
  end if;
  perform audit.check_retention_arguments('audit.set_retention_floor', '*', 'none is needed', least_kept);
  perform audit.lock_retained('*');
  insert into audit.retention_floor (least) values (least_kept) on conflict (is_only) do update set least = excluded.least;
  perform audit.look_again('*');
end $$;

-- Holds entries back from retention, and returns the number by which the hold is released. Once this is committed, nothing of it goes.
create function audit.hold(organization_name text, reason text, since timestamptz default null, until timestamptz default null,
  actor text default null) returns bigint language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  number bigint;
  what jsonb;
begin
  perform audit.check_retention_arguments('audit.hold', organization_name, reason, null);
  if since >= until then
    raise exception using errcode = '22023', message = format('audit.hold takes entries from since to before until, and %s is not before %s: correct one of the two.', since, until);
  end if;
  perform audit.lock_retained(organization_name);
  insert into audit.holds (organization, reason, since, until, actor_id, placed_by)
  values (organization_name, reason, since, until, actor, session_user) returning id into number;
  what := jsonb_strip_nulls(jsonb_build_object('hold', number, 'reason', reason, 'since', since, 'until', until, 'actor', actor,
    'by', session_user));
  perform audit.write_retention_entry(p.organization, 'audit_log.hold_placed', what)
  from audit.retention_progress p where organization_name in (p.organization, '*');
  return number;
end $$;

-- Ends a hold. False: there is none of that number in force.
create function audit.release(hold bigint) returns boolean language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  ended audit.holds;
begin
  update audit.holds set released_at = now(), released_by = session_user where id = hold and released_at is null returning * into ended;
  if ended.id is null then return false; end if;
  perform audit.lock_retained(ended.organization);
  perform audit.write_retention_entry(p.organization, 'audit_log.hold_released',
    jsonb_build_object('hold', ended.id, 'reason', ended.reason, 'by', session_user))
  from audit.retention_progress p where ended.organization in (p.organization, '*');
  perform audit.look_again(ended.organization);
  return true;
end $$;

-- A stream that begins waits for the batch under way, and the next one sees it.
create function audit.note_retention_of_stream() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from audit.retention_progress where organization = new.organization) then
    insert into audit.retention_progress (organization) values (new.organization) on conflict do nothing;
  end if;
  perform from audit.retention_progress where organization = new.organization for key share;
  return new;
end $$;
create trigger note_retention_of_stream before insert on audit.streams
  for each row execute function audit.note_retention_of_stream();
create trigger note_retention_of_returned_stream before update of config on audit.streams
  for each row when (old.config ? 'deleted' and not coalesce(new.config ? 'deleted', false)) execute function audit.note_retention_of_stream();

-- ---------------------------------------------------------------------------------------------------------------------
-- What goes.

-- Whether nobody waits for what the stream has not delivered: its config was deleted 30 days ago.
create function audit.is_let_go(config jsonb, is_held boolean) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  return coalesce(not is_held and config ->> 'deleted' = 'true'
    and (config ->> 'at')::timestamptz < clock_timestamp() - interval '30 days', false);
exception when data_exception then
  return false;
end $$;

-- Deletes up to `most` entries of an organization whose time has come, and returns what came of it. It goes on where the call before
-- has ended, from the oldest to the newest, and `is_whole` says that it has reached the end: `next_look_at` says when to look again.
-- It leaves what is younger than the period or the floor, what some stream of the organization has not delivered or has parked, and what
-- is held. A `busy` organization is one that another session works on.
create function audit.delete_expired(organization_name text, most integer default 1000)
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
    where s.organization = organization_name and not audit.is_let_go(s.config,
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

-- Adds organizations that have entries and that retention does not know yet. One that somebody else is just adding is left for the next
-- time, and false returned.
create function audit.find_retained_organizations() returns boolean language plpgsql security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$
declare
  name text;
  is_whole boolean := true;
begin
  for name in
    with recursive organizations as (
      (select organization from audit.entries where organization > '' order by organization limit 1)
      union all
      select next.organization from organizations o, lateral (
        select e.organization from audit.entries e where e.organization > o.organization order by e.organization limit 1) as next)
    select o.organization from organizations o where length(o.organization) <= 256
      and not exists (select from audit.retention_progress p where p.organization = o.organization)
  loop
    begin
      insert into audit.retention_progress (organization) values (name) on conflict do nothing;
    exception when lock_not_available then
      is_whole := false;
    end;
  end loop;
  return is_whole;
end $$;

-- ---------------------------------------------------------------------------------------------------------------------
revoke execute on function audit.retention_of(text), audit.expired_before(text), audit.lock_retention(text), audit.lock_retained(text),
  audit.look_again(text), audit.check_retention_arguments(text, text, text, interval), audit.write_retention_entry(text, text, jsonb),
  audit.tell_retention(text, text), audit.put_retention(text, interval, text), audit.set_retention(text, interval),
  audit.unset_retention(text), audit.use_retention_days(integer), audit.set_retention_floor(interval),
  audit.hold(text, text, timestamptz, timestamptz, text), audit.release(bigint), audit.note_retention_of_stream(),
  audit.is_let_go(jsonb, boolean), audit.delete_expired(text, integer), audit.find_retained_organizations() from public;

create or replace function audit.grant_collector(role_name name) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  perform audit.grant_writer(role_name);
  execute format('grant select on all tables in schema audit to %I', role_name);
  execute format('grant insert, update, delete on audit.clusters, audit.replicas, audit.streams, audit.parked, audit.page_sessions, audit.stream_history, audit.stream_filters, audit.replayed, audit.search_positions, audit.search_blocks to %I', role_name);
  execute format('grant execute on function audit.replay_parked(uuid), audit.replay_parked(text), audit.fold(text), audit.search_text(text, text, text, text, text, jsonb), audit.retention_of(text), audit.delete_expired(text, integer), audit.find_retained_organizations() to %I', role_name);
end $$;
select audit.grant_collectors_again();
