-- What an organization was told about a destination that fails.
alter table audit.streams
  -- Since when nothing gets through, and how often that was told. Null: entries get through.
  add column outage         jsonb,
  -- The UTC day of the last entry about a parked one.
  add column parked_told_on date;
