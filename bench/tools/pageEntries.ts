/** Millions of entries of many organizations for the page, half of them from one; about 330 bytes of metadata each. */
import type pg from 'pg';

export const bigOrganization = 'acme';
const otherOrganizations = 50;
const rowsPerCommit = 1_000;

export interface Terms {
  /** A word in one of eight entries. */
  readonly frequent: string;
  /** A word in one of a million entries, evenly distributed. */
  readonly rare: string;
  /** A word in every second entry of the oldest tenth. */
  readonly longAgo: string;
  readonly frequentType: string;
  /** The event type of one in 100,000 entries. */
  readonly rareType: string;
}

export const terms: Terms = {
  frequent: 'billing-export',
  rare: 'quarantine',
  longAgo: 'legacy-gateway',
  frequentType: 'flow.updated',
  rareType: 'organization.deleted',
};

/** Every `n` is one row; multiplication spreads the numbers, so that the same `count` always gives the same entries. */
const rowSql = (count: number): string => `
  select case when n % 2 = 0 then '${bigOrganization}' else 'organization-' || (n / 2 % ${otherOrganizations}) end,
    case when n % 100000 < 2 then '${terms.rareType}' when n % 3 = 0 then '${terms.frequentType}'
      else (array['flow', 'secret', 'project', 'member', 'key', 'role'])[1 + n / 3 % 6] || '.' || (array['created', 'deleted', 'read', 'shared', 'run'])[1 + n / 18 % 5] end,
    'u-' || (n * 7919 % 4000), 'Person ' || (n * 7919 % 4000), case when n % 4 = 0 then 'api_key' else 'user' end,
    case when n % 5 = 0 then null else 'project-' || (n * 31 % 40) end,
    format('{"requestId": "%s", "ip": "10.%s.%s.%s", "path": "/v1/%s/%s", "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/%s.0", "target": {"id": %s, "name": "%s", "tags": ["%s", "%s"]}, "result": "%s", "durationMs": %s}',
      gen_random_uuid(), n * 13 % 256, n * 17 % 256, n * 29 % 256,
      case when n % 8 = 0 then '${terms.frequent}' else (array['flows', 'secrets', 'projects', 'members', 'keys', 'roles', 'webhooks'])[1 + n % 7] end,
      n, 90 + n % 60, n * 3, case when n % 1000000 in (500000, 500001) then '${terms.rare}' else 'item ' || (n * 104729 % 100000) end,
      case when n < ${count} / 10 and n / 2 % 2 = 0 then '${terms.longAgo}' else 'gateway' end, md5(n::text), case when n % 50 = 0 then 'denied' else 'allowed' end,
      n * 37 % 900)::jsonb,
    '2025-01-01 00:00:00+00'::timestamptz + n * interval '2 seconds'`;

/** Loads without the secondary indexes, which it builds afterwards; vacuums, and writes everything to disk. */
export async function loadPageEntries(
  client: pg.Client,
  count: number,
  log: (line: string) => void,
): Promise<void> {
  const indexes = await client.query<{ name: string; sql: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as sql from pg_index
     where indrelid = 'audit.entries'::regclass and not indisprimary`,
  );
  for (const { name } of indexes.rows) await client.query(`drop index ${name}`);
  await client.query('set synchronous_commit = off');
  const step = Math.max(rowsPerCommit, Math.ceil(count / 10));
  for (let from = 0; from < count; from += step) {
    const to = Math.min(count, from + step);
    await client.query(`do $$ begin
      for start_at in ${from} .. ${to - 1} by ${rowsPerCommit} loop
        insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at)
        ${rowSql(count)} from generate_series(start_at::bigint, least(start_at + ${rowsPerCommit}, ${to}) - 1) as n;
        commit;
      end loop;
    end $$`);
    log(`${to.toLocaleString('en-US')} entries loaded`);
  }
  await client.query(`set maintenance_work_mem = '512MB'`);
  for (const { name, sql } of indexes.rows) {
    await client.query(sql);
    log(`index ${name} built`);
  }
  await client.query('vacuum (analyze) audit.entries');
  await client.query('checkpoint');
}
