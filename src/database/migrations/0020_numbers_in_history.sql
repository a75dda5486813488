-- The number that a stream had reached, beside where it stood: an entry's own number lies between two of them. Of older rows it is not known.
alter table audit.stream_history add column sequence bigint;

-- Otherwise as in 0015.
create or replace function audit.note_stream_progress() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
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
        old.other_clusters, old.window_snapshot, old.window_pinned_at, old.position_xid, old.position_id, old.sequence);
    end if;
    new.history_number := new.history_number + 1;
    new.history_at := clock_timestamp();
    if old.window_snapshot is not null and new.window_snapshot is null and new.cluster = old.cluster then
      -- The window, and a place behind all of it.
      insert into audit.stream_history values (new.id, new.history_number, new.history_at, old.cluster, old.settled, old.other_clusters,
        old.window_snapshot, old.window_pinned_at, pg_snapshot_xmax(old.window_snapshot), 9223372036854775807, new.sequence);
    else
      insert into audit.stream_history values (new.id, new.history_number, new.history_at, new.cluster, new.settled,
        new.other_clusters, new.window_snapshot, new.window_pinned_at, new.position_xid, new.position_id, new.sequence);
    end if;
    delete from audit.stream_history h
    using (select number from audit.stream_history where stream = new.id order by number limit 4) as oldest
    where h.stream = new.id and h.number = oldest.number and h.at < now() - interval '30 days';
    new.moved_at := new.history_at;
  else
    new.moved_at := clock_timestamp();
  end if;
  return new;
end $$;
