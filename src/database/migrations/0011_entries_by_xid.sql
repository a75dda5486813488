-- concurrently
-- Which organizations have something new, whatever the number of streams. Expressions, and an organization that is only included, keep
-- every other query away from it: one that reads an organization would read the entries of all others here.
create index concurrently if not exists entries_by_xid on audit.entries ((cluster + 0), greatest(xid, '0'::xid8)) include (organization);
