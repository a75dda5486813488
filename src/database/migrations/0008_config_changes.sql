-- What an export was configured as when that was last written to the audit log: a change by whomever is then one entry, whatever
-- restarts and replicas there are. Null: a stream from before there was this, whose config is noted without an entry.
alter table audit.streams add column config jsonb;
-- A stream that is made from now on begins with nothing, so that its config is news.
alter table audit.streams alter column config set default 'null'::jsonb;
