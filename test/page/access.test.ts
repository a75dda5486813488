/**
 * Who reaches what: made from the route table, so that a route is tested by being there.
 *
 * Each route as somebody unknown, a member, an admin of another organization and an admin, as a page and as a part of one,
 * in each mode of AUTH_MODE.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Route, routes } from '../../src/web/routes.ts';
import type { RateLimit, RateLimits } from '../../src/web/security/rateLimits.ts';
import { insertEntries, migrateDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { type ModePage, modes, type Who } from './authModes.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

const unlimited: RateLimit = { requests: 100_000, windowMs: 60_000, atOnce: 1_000 };
const rateLimits: RateLimits = {
  read: unlimited,
  search: unlimited,
  download: unlimited,
  test: unlimited,
  sentTest: unlimited,
  write: unlimited,
};

const shapes = {
  page: {},
  part: { 'HX-Request': 'true', 'HX-Request-Type': 'partial', 'HX-Target': 'div#drawer-body' },
  restored: { 'HX-History-Restore-Request': 'true', 'HX-Request-Type': 'full' },
};
type Shape = keyof typeof shapes;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location: string | null;
}

async function ask(
  page: ModePage,
  { method, path }: Pick<Route, 'method' | 'path'>,
  shape: Shape,
  who: Record<string, string>,
  organization = 'acme',
): Promise<Answer> {
  const filled = path
    .replace(':organization', organization)
    .replace(':entry', '1')
    .replace(/:\w+/g, 'default.acme-siem');
  const response = await fetch(page.origin + filled, {
    method: method.toUpperCase(),
    redirect: 'manual',
    headers: { ...who, ...shapes[shape], ...(method === 'post' && { Origin: page.origin }) },
    ...(method === 'post' && { body: new URLSearchParams({ op: 'save' }) }),
  });
  const location = response.headers.get('location') ?? response.headers.get('hx-redirect');
  return { status: response.status, text: await response.text(), location };
}

/** An entry and a destination of acme, whose every name would be recognised. */
async function fill(page: ModePage): Promise<void> {
  await insertEntries(page.db, [
    { eventType: 'vault.opened', project: 'moonbase', metadata: '{"pass": "swordfish"}' },
  ]);
  await writeFile(
    join(page.directory, 'acme-siem.yaml'),
    `apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata: {name: acme-siem}
spec: {organization: acme, endpoint: 'https://otel.hidden.example'}
`,
  );
}

const secrets = /acme|vault|moonbase|swordfish|siem|otel|hidden/i;

/** What a person would read, without addresses of assets. */
function wordsOf(html: string): string {
  return html
    .replace(/<(head|svg)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#?\w+;/g, ' ');
}

/** null: the answer is as it must be. */
function judge(
  who: Who,
  { access, method }: Route,
  shape: Shape,
  mode: string,
  answer: Answer,
): string | null {
  const { status, location } = answer;
  const isRefused = who === 'anonymous' || (access !== 'viewer' && who !== 'admin');
  if (!isRefused) {
    if (status === 401 || status >= 500 || status === 429) return `${status} instead of an answer`;
    // `/` says to a member that there is nothing for them.
    return status === 403 && who !== 'member' ? '403 instead of an answer' : null;
  }
  // The body of a redirect repeats the address that was asked for, and no more.
  const words = status === 302 ? '' : wordsOf(answer.text);
  if (secrets.test(words)) return `gives away ${secrets.exec(words)?.[0]}`;
  if (/\d/.test(words)) return `gives away a number: ${words.replace(/\s+/g, ' ')}`;
  if (who !== 'anonymous') return status === 403 ? null : `${status} instead of 403`;
  const expected = mode === 'oidc' && method === 'get' && shape === 'page' ? 302 : 401;
  const mustLead = mode === 'oidc' && shape === 'page' && method === 'get';
  if (mustLead && !location?.startsWith('/login?return_to=')) return `leads to ${location}`;
  if (!mustLead && location) return `leads to ${location}`;
  return status === expected ? null : `${status} instead of ${expected}`;
}

describe.each(Object.keys(modes) as (keyof typeof modes)[])('with AUTH_MODE=%s', (mode) => {
  it.each<Who>(['anonymous', 'member', 'other', 'admin'])(
    'every route answers as it must to: %s',
    async (who) => {
      const page = await modes[mode](postgres, { rateLimits });
      await fill(page);
      const headers = await page.headersOf(who);
      if (headers === undefined) return;
      const wrong: string[] = [];
      for (const route of routes) {
        for (const shape of Object.keys(shapes) as Shape[]) {
          const answer = await ask(page, route, shape, headers);
          const problem = judge(who, route, shape, mode, answer);
          if (problem !== null) wrong.push(`${route.method} ${route.path} as ${shape}: ${problem}`);
        }
      }
      expect(wrong).toEqual([]);
    },
    60_000,
  );
});

it('does not tell an organization of others from one that does not exist', async () => {
  const page = await modes.headers(postgres, { rateLimits });
  await fill(page);
  const headers = (await page.headersOf('other')) ?? {};
  for (const route of routes.filter(({ access }) => access !== 'viewer')) {
    for (const shape of Object.keys(shapes) as Shape[]) {
      const there = await ask(page, route, shape, headers, 'acme');
      expect(await ask(page, route, shape, headers, 'nobody-has-this')).toEqual(there);
    }
  }
}, 60_000);

it.each(['Acme', 'acme%20', 'acme%00', '%2e%2e', 'globex%2F..%2Facme', 'acme%2Faudit-logs'])(
  'compares the name of an organization exactly: %s',
  async (organization) => {
    const page = await modes.headers(postgres, { rateLimits });
    await fill(page);
    const headers = (await page.headersOf('admin')) ?? {};
    const route = { method: 'get', path: '/organizations/:organization/audit-logs' } as const;
    const answer = await ask(page, route, 'page', headers, organization);
    expect([403, 404]).toContain(answer.status);
    expect(wordsOf(answer.text)).not.toMatch(secrets);
  },
);

it.each(['%00', 'a%00b', 'x'.repeat(257)])(
  'says of %s, which no organization is called, what it says of one that does not exist',
  async (organization) => {
    const page = await modes.local(postgres, { rateLimits });
    for (const route of routes.filter(({ access }) => access !== 'viewer')) {
      for (const shape of Object.keys(shapes) as Shape[]) {
        expect((await ask(page, route, shape, {}, organization)).status).toBe(403);
      }
    }
  },
  60_000,
);

it.each(['.', '..', '~', '~.', '~acme', '%2e', 'a/../b', 'Ä ö?#%'])(
  'has an address for an organization that is called %s',
  async (organization) => {
    const page = await modes.local(postgres, { rateLimits });
    await insertEntries(page.db, [{ organization, eventType: 'flow.found' }, { eventType: 'flow.other' }]);
    const home = await (
      await fetch(`${page.origin}/?organization=${encodeURIComponent(organization)}`)
    ).text();
    expect(home).toContain('flow.found');
    expect(home).not.toContain('flow.other');
    // Its own links lead to it again.
    const href = /href="([^"]*\/audit-logs)" aria-current="page"/.exec(home)?.[1] ?? '';
    const again = await (await fetch(new URL(href.replaceAll('&amp;', '&'), page.origin))).text();
    expect(again).toContain('flow.found');
    const exports = await (await fetch(new URL(`${href}/export`, page.origin))).text();
    expect(exports).toContain('No destination yet');
  },
);

it('tries every kind of access and of cost there is', () => {
  expect(new Set(routes.map(({ access }) => access))).toEqual(new Set(['viewer', undefined]));
  // Test records are counted apart from their requests.
  expect(new Set([...routes.map(({ cost }) => cost), 'sentTest'])).toEqual(new Set(Object.keys(rateLimits)));
});
