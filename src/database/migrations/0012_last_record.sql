-- The last record that the receiver took: proof, also after a restart, that it takes others than the one it refuses.
alter table audit.streams add column last_record jsonb;
