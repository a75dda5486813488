-- Entries that another cluster wrote: by a logical replica, by a data-only restore, rescued from a server that lost a failover.

-- A transaction id that is not the inserting transaction's says nothing about what streams of this cluster have read: such an
-- entry is taken as written now. As long as no stream reads this cluster the database is being restored or moved, and the
-- entry keeps its place, which the restored streams know.
create function audit.take_over_entry() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from audit.streams s where s.cluster = audit.cluster_id()) then
    new.cluster := audit.cluster_id();
    new.xid := pg_catalog.pg_current_xact_id();
  end if;
  return new;
end $$;
revoke execute on function audit.take_over_entry() from public;

-- An entry that a product writes has its own transaction's id, so the function is not called for it.
create trigger take_over_entry before insert on audit.entries for each row
  when (new.xid operator(pg_catalog.<>) pg_catalog.pg_current_xact_id()) execute function audit.take_over_entry();
-- For what a subscription applies as well.
alter table audit.entries enable always trigger take_over_entry;
