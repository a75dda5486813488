-- A ledger begins when no batch of retention is under way: one that began before it knows of none, and would delete what it seals
-- without a word. It does not wait for long: while somebody changes the retention of one organization, the others' turns come.
create function audit.wait_for_retention() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '1s' as $$
begin
  perform audit.lock_retention(new.organization);
  return new;
end $$;
revoke execute on function audit.wait_for_retention() from public;

create trigger wait_for_retention before insert on audit.ledgers for each row execute function audit.wait_for_retention();
