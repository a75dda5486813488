-- How requests of each stream went: sums by the hour for 30 days, and the last hundred one by one. Whoever sends a stream adds what it
-- has gathered once a minute, so that no batch pays for it; what a killed process had gathered since then is missing here, and
-- nowhere else.

create table audit.stream_hours (
  stream   uuid not null references audit.streams on delete cascade,
  hour     timestamptz not null,
  -- Records that the receiver took, repeats included, and that it said it did not keep.
  accepted bigint not null,
  rejected bigint not null,
  requests bigint not null,
  -- Failed requests by reason.
  failures jsonb not null,
  -- Requests by how long they took (src/model/attempt.ts).
  latency  integer[] not null,
  primary key (stream, hour)
);

create table audit.stream_attempts (
  stream      uuid primary key references audit.streams on delete cascade,
  -- The oldest first.
  attempts    jsonb not null,
  -- When it is tried again; null: it does not wait.
  next_try_at timestamptz,
  written_at  timestamptz not null
);

create or replace function audit.grant_collector(role_name name) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  perform audit.grant_writer(role_name);
  execute format('grant select on all tables in schema audit to %I', role_name);
  execute format('grant insert, update, delete on audit.clusters, audit.replicas, audit.streams, audit.parked, audit.page_sessions, audit.stream_history, audit.stream_filters, audit.replayed, audit.search_positions, audit.search_blocks, audit.stream_hours, audit.stream_attempts to %I', role_name);
  execute format('grant execute on function audit.replay_parked(uuid), audit.replay_parked(text), audit.fold(text), audit.search_text(text, text, text, text, text, jsonb), audit.retention_of(text), audit.delete_expired(text, integer), audit.find_retained_organizations(), audit.ask_replay(uuid, timestamptz, timestamptz, text, boolean), audit.cancel_replay(uuid) to %I', role_name);
end $$;
select audit.grant_collectors_again();
