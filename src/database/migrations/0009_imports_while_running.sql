-- Entries of another cluster that come in while every stream is still busy with one: what such a stream has read there already
-- says that they are done.

-- As in 0006, and also while a collector runs, or once a stream has read this cluster and visits another one.
create or replace function audit.take_over_entry() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from audit.replicas r where r.expires_at > pg_catalog.clock_timestamp())
    or exists (select from audit.streams s
      where s.cluster = audit.cluster_id() or s.other_clusters ? audit.cluster_id()::text)
  then
    new.cluster := audit.cluster_id();
    new.xid := pg_catalog.pg_current_xact_id();
  end if;
  return new;
end $$;
