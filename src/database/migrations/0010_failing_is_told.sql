-- What an organization was told about a destination that fails, and which stream a new config of the same name comes after.
alter table audit.streams
  -- NAMESPACE.NAME of its config, as entries name a destination. Null: from before there was this.
  add column destination     text,
  -- Since when nothing gets through, and how often that was told. Null: entries get through.
  add column outage          jsonb,
  -- The UTC day of the last entry about a parked one.
  add column parked_told_on  date,
  -- The key of the config whose stream this was, until the present one took it over.
  add column taken_over_from text;
update audit.streams set destination = config ->> 'destination' where config ? 'destination';
create index streams_destination on audit.streams (organization, destination);
