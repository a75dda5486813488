-- What the Audit Logs page needs: sessions, when a stream delivered what, and blocks that make payloads searchable.

-- Sessions of the page, in the shape that connect-pg-simple expects.
create table audit.page_sessions (
  sid    text primary key,
  sess   json not null,
  expire timestamptz not null
);
create index page_sessions_expire on audit.page_sessions (expire);

-- ---------------------------------------------------------------------------------------------------------------------
-- When a stream delivered what. A stream's row says whether an entry is settled, not since when.

alter table audit.streams
  -- The filter of the latest window, to see that the next one has another.
  add column latest_filter  jsonb,
  -- When settled or position last moved.
  add column moved_at       timestamptz,
  -- Number and time of the latest row in stream_history.
  add column history_number bigint not null default 0,
  add column history_at     timestamptz;

-- Checkpoints of a stream's row, numbered without gaps so that the first one that covers an entry is found by bisection.
create table audit.stream_history (
  stream           uuid not null references audit.streams on delete cascade,
  number           bigint not null,
  at               timestamptz not null,
  cluster          bigint not null,
  settled          pg_snapshot not null,
  other_clusters   jsonb not null,
  window_snapshot  pg_snapshot,
  window_pinned_at timestamptz,
  position_xid     xid8,
  position_id      bigint,
  primary key (stream, number)
);

-- What held for entries past `settled`, until the next row. Number 0 is the stream's beginning, without a filter: what its
-- `settled` covers was never the stream's to deliver, or, where `is_start` is false, was settled before this was recorded.
create table audit.stream_filters (
  stream         uuid not null references audit.streams on delete cascade,
  number         integer not null,
  is_start       boolean not null default true,
  cluster        bigint not null,
  settled        pg_snapshot not null,
  other_clusters jsonb not null,
  filter         jsonb,
  primary key (stream, number)
);
insert into audit.stream_filters (stream, number, is_start, cluster, settled, other_clusters)
select id, 0, false, cluster, settled, other_clusters from audit.streams;

-- Parked entries that a receiver took at last.
create table audit.replayed (
  stream       uuid not null references audit.streams on delete cascade,
  entry_id     bigint not null,
  delivered_at timestamptz not null,
  primary key (entry_id, stream)
);

create function audit.note_stream_start() returns trigger language plpgsql as $$
begin
  insert into audit.stream_filters (stream, number, cluster, settled, other_clusters)
  values (new.id, 0, new.cluster, new.settled, new.other_clusters);
  return null;
end $$;
create trigger note_stream_start after insert on audit.streams
  for each row execute function audit.note_stream_start();

-- Notes a changed filter when a window is pinned, and where the stream stands, at most every 10 s. After a pause the row as it
-- stood before is noted too, with its own time: what was delivered before the pause is not dated after it.
create function audit.note_stream_progress() returns trigger language plpgsql as $$
begin
  if new.window_snapshot is not null and old.window_snapshot is null then
    if new.window_filter is distinct from old.latest_filter then
      insert into audit.stream_filters (stream, number, cluster, settled, other_clusters, filter)
      select new.id, max(number) + 1, new.cluster, new.settled, new.other_clusters, new.window_filter
      from audit.stream_filters where stream = new.id;
      new.latest_filter := new.window_filter;
    end if;
    return new;
  end if;
  if old.history_at is null or old.history_at < clock_timestamp() - interval '10 seconds' then
    if old.moved_at > old.history_at then
      new.history_number := new.history_number + 1;
      insert into audit.stream_history values (old.id, new.history_number, old.moved_at, old.cluster, old.settled,
        old.other_clusters, old.window_snapshot, old.window_pinned_at, old.position_xid, old.position_id);
    end if;
    new.history_number := new.history_number + 1;
    new.history_at := clock_timestamp();
    insert into audit.stream_history values (new.id, new.history_number, new.history_at, new.cluster, new.settled,
      new.other_clusters, new.window_snapshot, new.window_pinned_at, new.position_xid, new.position_id);
    delete from audit.stream_history h
    using (select number from audit.stream_history where stream = new.id order by number limit 4) as oldest
    where h.stream = new.id and h.number = oldest.number and h.at < now() - interval '30 days';
    new.moved_at := new.history_at;
  else
    new.moved_at := clock_timestamp();
  end if;
  return new;
end $$;
create trigger note_stream_progress before update on audit.streams for each row
  when (new.window_snapshot is not null and old.window_snapshot is null
    or new.window_snapshot is null and old.window_snapshot is not null
    or new.cluster <> old.cluster
    or new.position_id is distinct from old.position_id or new.position_xid is distinct from old.position_xid)
  execute function audit.note_stream_progress();

-- ---------------------------------------------------------------------------------------------------------------------
-- Search of payloads. A collector builds it afterwards from entries that are final: a product's insert does not pay for it.

-- Lower case of all scripts, whatever the database's locale: in "C", which many servers have, lower() knows ASCII alone.
do $do$
declare
  folding text := (
    select ' collate pg_catalog.' || quote_ident(collname) from pg_collation
    where collname in ('pg_c_utf8', 'und-x-icu') and collnamespace = 'pg_catalog'::regnamespace
      and collencoding in (-1, (select encoding from pg_database where datname = current_database()))
    order by collname = 'pg_c_utf8' desc limit 1);
begin
  execute format('create function audit.fold(value text) returns text language sql immutable parallel safe as %L',
    'select lower(value' || coalesce(folding, '') || ')');
end $do$;

-- The text that is searched; a term is folded by the same function. Plain operators, so that Postgres expands it in place
-- rather than call it row by row.
create function audit.search_text(event_type text, actor_id text, actor_name text, session_type text, project text, metadata jsonb)
  returns text language sql immutable parallel safe as $$
  select audit.fold(event_type || e'\n' || coalesce(actor_id, '') || e'\n' || coalesce(actor_name, '') || e'\n'
    || session_type || e'\n' || coalesce(project, '') || e'\n' || metadata::text)
$$;

-- Entries up to here, in (xid, id) order, are in blocks; all that come after are searched one by one.
create table audit.search_positions (
  organization  text not null,
  cluster       bigint not null,
  xid           xid8 not null,
  id            bigint not null,
  -- Until then another collector leaves the organization to the one that works on it.
  claimed_until timestamptz,
  primary key (organization, cluster)
);

-- About five hundred consecutive entries, and which 4-byte sequences their texts hold.
create table audit.search_blocks (
  block        bigint generated always as identity primary key,
  organization text not null,
  cluster      bigint not null,
  first_xid    xid8 not null,
  first_id     bigint not null,
  last_xid     xid8 not null,
  last_id      bigint not null,
  entries      integer not null,
  text_bytes   bigint not null,
  oldest       timestamptz not null,
  newest       timestamptz not null,
  -- A bit for each hash, 8 * octet_length of them, a power of two; null: too many to tell anything.
  grams        bytea
);
-- Not compressed: a probe then reads one 2 KB piece of it.
alter table audit.search_blocks alter column grams set storage external;
create index search_blocks_newest on audit.search_blocks (organization, newest, block);
create index search_blocks_oldest on audit.search_blocks (organization, oldest, block);

-- ---------------------------------------------------------------------------------------------------------------------
-- Lets the collector's role do its work without owning the tables. It never changes an entry, and writes those of its
-- own page under the same limits as a product.
create or replace function audit.grant_collector(role_name name) returns void language plpgsql as $$
begin
  perform audit.grant_writer(role_name);
  execute format('grant select on all tables in schema audit to %I', role_name);
  execute format('grant insert, update, delete on audit.clusters, audit.replicas, audit.streams, audit.parked, audit.page_sessions, audit.stream_history, audit.stream_filters, audit.replayed, audit.search_positions, audit.search_blocks to %I', role_name);
  execute format('grant execute on function audit.replay_parked(uuid), audit.replay_parked(text) to %I', role_name);
end $$;

-- A grant reaches the tables of its day only: roles that may write audit.streams get those of this migration as well.
create function audit.grant_collectors_again() returns void language sql as $$
  select audit.grant_collector(r.rolname)
  from (select distinct a.grantee
    from pg_class c, aclexplode(c.relacl) a
    where c.oid = 'audit.streams'::regclass and a.privilege_type = 'UPDATE' and a.grantee <> c.relowner) as granted
  join pg_roles r on r.oid = granted.grantee
$$;
revoke execute on function audit.grant_collectors_again() from public;
select audit.grant_collectors_again();
