-- concurrently
-- The order in which the page shows an organization.
create index concurrently if not exists entries_by_time on audit.entries (organization, occurred_at, id);
