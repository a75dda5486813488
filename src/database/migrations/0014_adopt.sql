-- A table of audit events that exists already: prints what copies it, exactly once, while its product goes on writing.

-- Prints statements for a person to read and to run as the owner of both tables. Each argument but the first is an SQL expression over a
-- row `r` of the table, with names that do not depend on a search_path: 'r.tenant_id::text', or a constant such as '''acme'''. What comes out:
--
--   1. In one transaction, which writers of the table wait for: a trigger that copies every row that is inserted from then on, in the
--      transaction of the insert; and a list of the rows that are there.
--   2. The rows of that list, in batches, each row once, until the list is empty.
--   3. What undoes it.
--
-- Rows that a product updates or deletes later stay as they were copied. A row for which `adopted_if` is not true is left out.
create function audit.adopt_sql(source regclass, organization text, event_type text, actor_id text default 'null::text',
  actor_name text default 'null::text', session_type text default '''user''::text', project text default 'null::text',
  metadata text default 'to_jsonb(r)', occurred_at text default 'now()', adopted_if text default 'true') returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  -- With its schema, since the search_path has none.
  of constant text := source::text;
  name constant text := 'adopt_' || left(regexp_replace(of, '\W+', '_', 'g'), 40) || '_' || source::oid;
  keys text[];
  key text;
  joined text;
  columns constant text := 'organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at';
  expressions constant text := concat_ws(E',\n    ', organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at);
begin
  select array_agg(quote_ident(a.attname) order by k.n) into keys
  from pg_index i cross join unnest(i.indkey) with ordinality as k(attnum, n)
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indrelid = source and i.indisprimary;
  if keys is null then
    raise exception using errcode = '22023', message = format('audit.adopt_sql needs a primary key, by which it knows which rows it has copied, and %s has none: add one.', of);
  end if;
  -- Says what is wrong with an expression now rather than to the product.
  execute format('select %s from %s r where %s limit 0', replace(expressions, E'\n', ' '), of, adopted_if);
  key := array_to_string(keys, ', ');
  select string_agg(format('r.%s = b.%s', k, k), ' and ') into joined from unnest(keys) as k;
  return format($sql$-- 1. From here on every insert into %1$s is an entry too. Writers of it wait until this is committed.
begin;
set local lock_timeout = '10s';
lock table %1$s in share row exclusive mode;
create function audit.%2$I() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
begin
  insert into audit.entries (%3$s)
  select %4$s
  from inserted r where %5$s;
  return null;
end $body$;
revoke execute on function audit.%2$I() from public;
create trigger %2$I after insert on %1$s referencing new table as inserted
  for each statement execute function audit.%2$I();
create table audit.%2$I as select %6$s from %1$s r where %5$s;
alter table audit.%2$I add primary key (%7$s);
commit;

-- 2. What was there before, a thousand rows in each transaction. May be ended and run again.
do $body$ begin
  loop
    with batch as (
      delete from audit.%2$I where (%7$s) in (select %7$s from audit.%2$I order by %7$s limit 1000) returning %7$s)
    insert into audit.entries (%3$s)
    select %4$s
    from %1$s r join batch b on %8$s;
    exit when not exists (select from audit.%2$I);
    commit;
  end loop;
end $body$;
drop table audit.%2$I;

-- 3. To end it: rows that are inserted from then on are no entries.
-- drop trigger %2$I on %1$s;
-- drop function audit.%2$I();
$sql$, of, name, columns, expressions, adopted_if, (select string_agg('r.' || k, ', ') from unnest(keys) as k), key, joined);
end $$;
revoke execute on function audit.adopt_sql(regclass, text, text, text, text, text, text, text, text, text) from public;
