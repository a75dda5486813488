-- The table a product writes to, and what the exporter remembers of each stream.
-- A file that an older collector cannot live with says so with a line `-- breaking`.

create schema if not exists audit;

-- Which database cluster a row was written in. Transaction ids mean nothing in another cluster, so every xid in this
-- schema is read together with it. Marked immutable so that the planner calls it once per statement rather than once
-- per row: it is constant for as long as any plan can live.
create function audit.cluster_id() returns bigint
  language sql immutable parallel safe
  as 'select system_identifier from pg_catalog.pg_control_system()';

create table audit.entries (
  id           bigint generated always as identity primary key,
  uid          uuid not null default gen_random_uuid(),
  cluster      bigint not null default audit.cluster_id(),
  xid          xid8 not null default pg_current_xact_id(),
  organization text not null check (organization <> '' and length(organization) <= 256),
  event_type   text not null check (event_type <> '' and length(event_type) <= 256),
  actor_id     text,
  actor_name   text,
  session_type text not null default 'user' check (session_type <> ''),
  project      text,
  -- No receiver takes more in one request; without a bound one entry could take a collector's whole memory.
  metadata     jsonb not null check (pg_column_size(metadata) <= 16777216),
  -- OTLP's time is an unsigned 64-bit count of nanoseconds since 1970; the upper bound keeps microseconds below 2^53.
  occurred_at  timestamptz not null default now()
               check (occurred_at >= '1970-01-01 00:00:00+00' and occurred_at < '2200-01-01 00:00:00+00')
);
comment on table audit.entries is 'Append only. Write organization, event_type, metadata and, where known, actor_id, actor_name, session_type, project, occurred_at; the other columns fill themselves.';

-- The order in which a stream reads its organization.
create index entries_stream_order on audit.entries (organization, cluster, xid, id);

-- Clusters whose entries this table may hold, in the order in which they were met.
create table audit.clusters (
  ordinal           integer generated always as identity primary key,
  system_identifier bigint not null unique,
  first_seen_at     timestamptz not null default now()
);
insert into audit.clusters (system_identifier) values (audit.cluster_id());

-- One row a running collector; its expiry is the lease on every stream that it holds.
create table audit.replicas (
  id         uuid primary key,
  name       text not null,
  -- Hash of the configs it knows: only replicas that want the same streams share them.
  wants      text not null,
  expires_at timestamptz not null
);

create table audit.streams (
  id               uuid primary key default gen_random_uuid(),
  -- The config's stable identity. Another organization in the same config is another stream.
  config_key       text not null,
  organization     text not null,
  created_at       timestamptz not null default now(),
  -- startFrom a time: entries of before it are left out of the first window.
  starts_at        timestamptz,

  -- Everything of `cluster` that is visible in `settled` is delivered or parked.
  cluster          bigint not null,
  settled          pg_snapshot not null,
  -- Same for clusters that this stream is done with: system identifier to snapshot.
  other_clusters   jsonb not null default '{}',

  -- The window under delivery; all null when there is none.
  window_snapshot  pg_snapshot,
  window_pinned_at timestamptz,
  window_filter    jsonb,
  -- The last settled entry of the window; null before the first.
  position_xid     xid8,
  position_id      bigint,
  -- Sequence number of the last settled entry.
  sequence         bigint not null default 0,

  -- Who may send. The token rises with each change of holder and fences every write below.
  holder           uuid,
  token            bigint not null default 0,
  -- When a holder let go by itself, so that another one looks at once.
  released_at      timestamptz,

  delivered        bigint not null default 0,
  rejected         bigint not null default 0,
  last_delivery_at timestamptz,
  last_error       jsonb,

  unique (config_key, organization),
  check ((window_snapshot is null) = (window_pinned_at is null)),
  check ((position_xid is null) = (position_id is null)),
  check (position_xid is null or window_snapshot is not null)
);
create index streams_holder on audit.streams (holder);

-- Entries that a receiver refused while it took their neighbours. They stay in audit.entries.
create table audit.parked (
  stream              uuid not null references audit.streams on delete cascade,
  sequence            bigint not null,
  entry_id            bigint not null,
  observed_at         timestamptz not null,
  parked_at           timestamptz not null default now(),
  reason              text not null,
  http_status         integer,
  message             text not null,
  -- Set: send it again, with its own sequence number.
  replay_requested_at timestamptz,
  primary key (stream, sequence)
);
create index parked_replay on audit.parked (stream, sequence) where replay_requested_at is not null;
create index parked_entry on audit.parked (entry_id);

-- Sends parked entries again: of one stream, or of every stream of an organization. Returns how many.
create function audit.replay_parked(stream_id uuid) returns bigint language sql as $$
  with requested as (
    update audit.parked set replay_requested_at = now()
    where stream = stream_id and replay_requested_at is null returning 1)
  select count(*) from requested
$$;
create function audit.replay_parked(organization_name text) returns bigint language sql as $$
  select coalesce(sum(audit.replay_parked(id)), 0)::bigint from audit.streams where organization = organization_name
$$;

-- Lets a product's role write entries, and nothing else: a writer that could set xid, cluster or uid could hide an
-- entry from every stream.
create function audit.grant_writer(role_name name) returns void language plpgsql as $$
begin
  execute format('grant usage on schema audit to %I', role_name);
  execute format('grant insert (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at) on audit.entries to %I', role_name);
end $$;

-- Lets the collector's role do its work without owning the tables. It never changes an entry.
create function audit.grant_collector(role_name name) returns void language plpgsql as $$
begin
  execute format('grant usage on schema audit to %I', role_name);
  execute format('grant select on all tables in schema audit to %I', role_name);
  execute format('grant insert, update, delete on audit.clusters, audit.replicas, audit.streams, audit.parked to %I', role_name);
  execute format('grant execute on function audit.replay_parked(uuid), audit.replay_parked(text) to %I', role_name);
end $$;

revoke execute on function audit.replay_parked(uuid), audit.replay_parked(text), audit.grant_writer(name), audit.grant_collector(name) from public;
