-- concurrently
-- The same of one event type, and which event types there are.
create index concurrently if not exists entries_by_type on audit.entries (organization, event_type, occurred_at, id);
