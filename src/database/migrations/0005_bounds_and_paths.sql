-- Bounds for all that an entry holds, and names that nobody else's schema can stand in for.

-- ---------------------------------------------------------------------------------------------------------------------
-- What an entry may hold. One function instead of one CHECK for each column: Postgres reads the text of every CHECK again in each
-- insert, and plpgsql keeps it parsed (29 us an insert with five checks, 21 us with this). Every name is written out, because it
-- runs under the search_path of whoever inserts, and a SET would cost more than all the rest of it.

-- Whether the metadata is at most 16 MiB, as text as well as stored. jsonb keeps the exponent of a number: 1e131071 is 12 bytes there
-- and 131,072 as text. So how many digits its numbers have at least is counted first, and only a text of a bounded size is made.
create function audit.metadata_fits(metadata jsonb) returns boolean language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
declare
  most constant integer := 16777216;
  numbers jsonb;
  digits numeric;
begin
  if pg_column_size(metadata #> '{}'::text[]) > most then return false; end if;
  numbers := jsonb_path_query_array(metadata, 'strict $.** ? (@.type() == "number")'::jsonpath);
  select sum(scale(n) + case
      when n < 1e16 then 1 when n < 1e64 then 17 when n < 1e256 then 65 when n < 1e1024 then 257 when n < 1e4096 then 1025
      when n < 1e16384 then 4097 when n < 1e65536 then 16385 else 65537 end)
    into digits from (select abs(number::numeric) as n from jsonb_array_elements(numbers) as number) as each_number;
  if digits > most then return false; end if;
  return octet_length(metadata::text) <= most;
end $$;

-- Two short cuts, each with the worst ratio of text to stored bytes that there can be. Up to 1,800 bytes: 147,457 characters of a number
-- (131,072 digits, point, 16,383 decimals, sign) in 16 bytes make 16.6 million. Up to 12,000 bytes without a number of 1,000 digits:
-- 16,387 characters in 12 bytes (0e-16383) make 16.4 million. `#> '{}'` is the value itself, no longer compressed.
create function audit.check_entry(organization text, event_type text, actor_id text, actor_name text, session_type text,
  project text, metadata jsonb, occurred_at timestamptz) returns boolean language plpgsql immutable parallel safe as $$
declare
  problem text;
begin
  if organization operator(pg_catalog.<>) ''::pg_catalog.text and pg_catalog.length(organization) operator(pg_catalog.<=) 256
    and event_type operator(pg_catalog.<>) ''::pg_catalog.text and pg_catalog.length(event_type) operator(pg_catalog.<=) 256
    and session_type operator(pg_catalog.<>) ''::pg_catalog.text and pg_catalog.length(session_type) operator(pg_catalog.<=) 256
    and (actor_id is null or pg_catalog.length(actor_id) operator(pg_catalog.<=) 1024)
    and (actor_name is null or pg_catalog.length(actor_name) operator(pg_catalog.<=) 1024)
    and (project is null or pg_catalog.length(project) operator(pg_catalog.<=) 1024)
    and occurred_at operator(pg_catalog.>=) '1970-01-01 00:00:00+00'::pg_catalog.timestamptz
    and occurred_at operator(pg_catalog.<) '2200-01-01 00:00:00+00'::pg_catalog.timestamptz
    and (pg_catalog.pg_column_size(metadata operator(pg_catalog.#>) '{}'::pg_catalog.text[]) operator(pg_catalog.<=) 1800
      or pg_catalog.pg_column_size(metadata operator(pg_catalog.#>) '{}'::pg_catalog.text[]) operator(pg_catalog.<=) 12000
        and not pg_catalog.jsonb_path_exists(metadata, 'strict $.** ? (@ >= 1e1000 || @ <= -1e1000)'::pg_catalog.jsonpath)
      or audit.metadata_fits(metadata))
  then
    return true;
  end if;
  problem := audit.describe_problem(organization, event_type, actor_id, actor_name, session_type, project, occurred_at);
  raise exception using errcode = 'check_violation', message = problem, schema = 'audit', table = 'entries', constraint = 'entry_fits';
end $$;

-- The sentence for an entry that does not fit.
create function audit.describe_problem(organization text, event_type text, actor_id text, actor_name text, session_type text,
  project text, occurred_at timestamptz) returns text language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
declare
  limits constant text[][] := array[['organization', organization, '256'], ['event_type', event_type, '256'],
    ['session_type', session_type, '256'], ['actor_id', actor_id, '1024'], ['actor_name', actor_name, '1024'],
    ['project', project, '1024']];
  field text[];
begin
  foreach field slice 1 in array limits loop
    if length(field[2]) > field[3]::integer then
      return format('audit.entries takes a %s of at most %s characters, and this one has %s: shorten it.',
        field[1], field[3], length(field[2]));
    end if;
    if field[2] = ''::text and field[3] = '256'::text then
      return format('audit.entries takes no empty %s: give it a value.', field[1]);
    end if;
  end loop;
  if occurred_at < '1970-01-01 00:00:00+00'::timestamptz or occurred_at >= '2200-01-01 00:00:00+00'::timestamptz then
    return 'audit.entries takes an occurred_at from 1970 to 2199, and this one is outside: correct the time.';
  end if;
  return 'audit.entries takes metadata of at most 16 MiB (16777216 bytes), as text and as stored, and this has more: leave some of it out, and write numbers without large exponents.';
end $$;

-- Whatever the database's default privileges are: who inserts needs them.
grant execute on function audit.cluster_id(), audit.metadata_fits(jsonb),
  audit.check_entry(text, text, text, text, text, text, jsonb, timestamptz),
  audit.describe_problem(text, text, text, text, text, text, timestamptz) to public;

-- Not valid: entries that were written before it stay as they are, and the table is neither read nor written for this.
alter table audit.entries
  drop constraint if exists entries_organization_check,
  drop constraint if exists entries_event_type_check,
  drop constraint if exists entries_session_type_check,
  drop constraint if exists entries_metadata_check,
  drop constraint if exists entries_occurred_at_check,
  add constraint entry_fits check (audit.check_entry(organization, event_type, actor_id, actor_name, session_type, project,
    metadata, occurred_at)) not valid;

-- ---------------------------------------------------------------------------------------------------------------------
-- Functions look for names where this says, not where the session says: with its own search_path a function or an operator of another
-- schema can stand in for one of Postgres, and would run with the rights of whoever calls.

alter function audit.replay_parked(uuid) set search_path = pg_catalog, pg_temp;
alter function audit.replay_parked(text) set search_path = pg_catalog, pg_temp;
alter function audit.note_stream_start() set search_path = pg_catalog, pg_temp;
alter function audit.note_stream_progress() set search_path = pg_catalog, pg_temp;
alter function audit.grant_collectors_again() set search_path = pg_catalog, pg_temp;

-- These two have to be expanded in place, which a SET prevents: so they keep what their names mean now.
do $do$
declare
  folding text := (
    select ' collate pg_catalog.' || quote_ident(collname) from pg_collation
    where collname in ('pg_c_utf8', 'und-x-icu') and collnamespace = 'pg_catalog'::regnamespace
      and collencoding in (-1, (select encoding from pg_database where datname = current_database()))
    order by collname = 'pg_c_utf8' desc limit 1);
begin
  execute format('create or replace function audit.fold(value text) returns text language sql immutable parallel safe return lower(value%s)',
    coalesce(folding, ''));
end $do$;
create or replace function audit.search_text(event_type text, actor_id text, actor_name text, session_type text, project text, metadata jsonb)
  returns text language sql immutable parallel safe
  return audit.fold(event_type || e'\n' || coalesce(actor_id, '') || e'\n' || coalesce(actor_name, '') || e'\n'
    || session_type || e'\n' || coalesce(project, '') || e'\n' || metadata::text);

create or replace function audit.grant_writer(role_name name) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  execute format('grant usage on schema audit to %I', role_name);
  execute format('grant insert (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at) on audit.entries to %I', role_name);
end $$;

create or replace function audit.grant_collector(role_name name) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  perform audit.grant_writer(role_name);
  execute format('grant select on all tables in schema audit to %I', role_name);
  execute format('grant insert, update, delete on audit.clusters, audit.replicas, audit.streams, audit.parked, audit.page_sessions, audit.stream_history, audit.stream_filters, audit.replayed, audit.search_positions, audit.search_blocks to %I', role_name);
  execute format('grant execute on function audit.replay_parked(uuid), audit.replay_parked(text), audit.fold(text), audit.search_text(text, text, text, text, text, jsonb) to %I', role_name);
end $$;
select audit.grant_collectors_again();
