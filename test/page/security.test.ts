/** What every route is guarded by, whoever asks. */
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { routes } from '../../src/web/routes.ts';
import { defaultRateLimits } from '../../src/web/security/rateLimits.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { migrateDatabase } from '../tools/database.ts';
import { ada, always, type PageUnderTest, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';
const newExport = `${logs}/export/new`;

function post(page: PageUnderTest, headers: Record<string, string>, path = newExport): Promise<Response> {
  return fetch(page.origin + path, {
    method: 'POST',
    redirect: 'manual',
    headers,
    body: new URLSearchParams({ op: 'save' }),
  });
}

describe('a form', () => {
  it.each([
    { 'Sec-Fetch-Site': 'same-origin' },
    { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' },
    { Origin: 'OWN' },
  ])('is taken from the page itself: %j', async (headers) => {
    const page = await startPageUnderTest(postgres);
    const origin = headers.Origin === 'OWN' ? { Origin: page.origin } : {};
    expect((await post(page, { ...headers, ...origin })).status).toBe(422);
  });

  it.each([
    {},
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'OWN' },
    { 'Sec-Fetch-Site': 'same-site', Origin: 'OWN' },
    { 'Sec-Fetch-Site': 'none', Origin: 'OWN' },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: '' },
    { Referer: 'OWN' },
  ])('is refused from anywhere else: %j', async (headers: Record<string, string>) => {
    const page = await startPageUnderTest(postgres);
    const sent = Object.entries(headers).map(([name, value]) => [
      name,
      value === 'OWN' ? page.origin : value,
    ]);
    for (const { path } of routes.filter(({ method }) => method === 'post')) {
      const response = await post(page, Object.fromEntries(sent), path.replace(':organization', 'acme'));
      expect(response.status).toBe(403);
      expect(await response.text()).toContain('nothing was done');
    }
  });
});

describe('a read that another site causes', () => {
  it.each([
    ['cross-site', 'no-cors', 'image'],
    ['cross-site', 'no-cors', 'script'],
    ['cross-site', 'navigate', 'iframe'],
    ['same-site', 'cors', 'empty'],
  ])('is refused: %s, %s, %s', async (site, mode, destination) => {
    const page = await startPageUnderTest(postgres);
    const headers = { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode, 'Sec-Fetch-Dest': destination };
    for (const { path } of routes.filter(({ method }) => method === 'get')) {
      expect((await fetch(page.origin + path, { headers })).status).toBe(403);
    }
  });

  it('is fine when somebody followed a link', async () => {
    const page = await startPageUnderTest(postgres);
    const headers = {
      'Sec-Fetch-Site': 'cross-site',
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': 'document',
    };
    // Node's fetch puts its own mode in place of ours.
    const status = await sendRaw(page, [
      `GET ${logs} HTTP/1.1`,
      'Host: x',
      ...Object.entries(headers).map((h) => h.join(': ')),
    ]);
    expect(status).toMatch(/^HTTP\/1\.1 200 /);
  });
});

it.each(['cross-site', 'same-site'])(
  'notes nothing in the name of somebody whom a link of another site (%s) led to the settings',
  async (site) => {
    const page = await startPageUnderTest(postgres);
    const ask = (value: string) =>
      sendRaw(page, [
        `GET ${logs}/export HTTP/1.1`,
        'Host: x',
        `Sec-Fetch-Site: ${value}`,
        'Sec-Fetch-Mode: navigate',
        'Sec-Fetch-Dest: document',
      ]);
    const count = async () => (await page.db.query('select from audit.entries')).rowCount;
    expect(await ask(site)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await count()).toBe(0);
    expect(await ask('same-origin')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await count()).toBe(1);
  },
);

/** Sends lines as they are and returns the first line of the answer; empty when the connection just ended. */
function sendRaw(page: PageUnderTest, lines: string[], end = '\r\n\r\n'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(page.origin).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      if (text.includes('\r\n')) resolve(text.split('\r\n')[0] ?? '');
    });
    socket.on('close', () => resolve(text.split('\r\n')[0] ?? '')).on('error', reject);
    socket.write(lines.join('\r\n') + end);
  });
}

describe('every answer', () => {
  it.each([logs, '/nowhere', '/organizations/globex/audit-logs', `${logs}/%E0%A4%A`])(
    'carries the headers that keep a browser safe: %s',
    async (path) => {
      const page = await startPageUnderTest(postgres);
      const { headers } = await fetch(page.origin + path);
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none'",
      );
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('vary')).toContain('HX-Request');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('strict-transport-security')).toBeNull();
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('etag')).toBeNull();
    },
  );
});

describe('what is broken or too much is answered in words', () => {
  const own = { 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/x-www-form-urlencoded' };

  it.each([
    ['a form of 300 KB', `name=${'x'.repeat(300_000)}`, 413],
    ['a form of 1,000 fields', 'a=1&'.repeat(1_000), 413],
    ['a form in an unknown character set', 'a=1', 415],
  ])('%s', async (what, body, status) => {
    const page = await startPageUnderTest(postgres);
    const type = what.includes('character set')
      ? { 'Content-Type': `${own['Content-Type']}; charset=ebcdic` }
      : {};
    const response = await fetch(page.origin + newExport, {
      method: 'POST',
      headers: { ...own, ...type },
      body,
    });
    expect(response.status).toBe(status);
    expect(await response.text()).not.toMatch(/Error|at .*\.ts/);
  });

  it('a body that is not a form', async () => {
    const page = await startPageUnderTest(postgres);
    const headers = { ...own, 'Content-Type': 'application/json' };
    const response = await fetch(page.origin + newExport, { method: 'POST', headers, body: '{"op":"save"}' });
    expect(response.status).toBe(422);
  });

  it('an address that encodes nothing', async () => {
    const page = await startPageUnderTest(postgres);
    const response = await fetch(`${page.origin}/organizations/%E0%A4%A/audit-logs`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('This request is not valid');
  });

  it('a mistake of ours, without a word of it', async () => {
    const authenticator = always(ada);
    const page = await startPageUnderTest(postgres, {
      authenticator: {
        ...authenticator,
        identify: () => Promise.reject(new Error('secret detail of /src/x.ts')),
      },
    });
    const response = await fetch(page.origin + logs);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toMatch(/secret detail|\.ts/);
    expect(page.log.join('')).toContain('secret detail');
  });

  it.each([
    ['57P01', { severity: 'FATAL', code: '57P01' }],
    ['a socket that broke', { code: 'ECONNREFUSED' }],
  ])('a database that is away: %s', async (_what, properties) => {
    const error = Object.assign(new Error('password authentication of 10.0.0.5'), properties);
    const page = await startPageUnderTest(postgres, {
      authenticator: { ...always(ada), identify: () => Promise.reject(error) },
    });
    const response = await fetch(page.origin + logs, {
      headers: { 'HX-Request': 'true', 'HX-Request-Type': 'partial', 'HX-Target': 'section#results' },
    });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    const text = await response.text();
    expect(text).toContain('<section id="results"');
    expect(text).toContain('The database does not answer');
    expect(text).not.toContain('10.0.0.5');
  });

  it('headers that do not end', async () => {
    const page = await startPageUnderTest(postgres);
    expect(await sendRaw(page, [`GET ${logs} HTTP/1.1`, 'Host: x', 'X-Slow: '], '')).toMatch(
      /^HTTP\/1\.1 408 /,
    );
  }, 30_000);

  it('headers of 20 KB', async () => {
    const page = await startPageUnderTest(postgres);
    const line = await sendRaw(page, [`GET ${logs} HTTP/1.1`, 'Host: x', `X-Large: ${'x'.repeat(20_000)}`]);
    expect(line).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('rate limits', () => {
  const few = { requests: 2, windowMs: 60_000, atOnce: 10 };

  it.each([...new Set(routes.map(({ cost }) => cost))])(
    'hold for %s, with a sentence and a time to wait',
    async (cost) => {
      const route = routes.find((each) => each.cost === cost && each.access !== 'viewer');
      const path = (route?.path ?? '').replace(':organization', 'acme').replace(/:\w+/g, '1');
      const page = await startPageUnderTest(postgres, { rateLimits: { ...defaultRateLimits, [cost]: few } });
      const ask = () =>
        route?.method === 'post'
          ? post(page, { 'Sec-Fetch-Site': 'same-origin' }, path)
          : fetch(page.origin + path, { redirect: 'manual' });
      for (let i = 0; i < 2; i += 1) {
        const response = await ask();
        await response.text();
        expect(response.status).not.toBe(429);
      }
      const response = await ask();
      expect(response.status).toBe(429);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await response.text()).toMatch(/You can do this 2 times a minute. Wait \d+ seconds/);
    },
  );

  it('are those of one viewer in one organization', async () => {
    const viewers = ['u-1', 'u-2'];
    const page = await startPageUnderTest(postgres, {
      rateLimits: { ...defaultRateLimits, search: few },
      authenticator: {
        middleware: null,
        identify: async (request) => ({
          kind: 'known',
          viewer: { id: request.get('X-Who') ?? '', name: null, administers: new Set(['acme', 'globex']) },
          logoutUrl: null,
        }),
      },
    });
    const ask = async (who: string, organization: string) => {
      const url = `${page.origin}/organizations/${organization}/audit-logs`;
      const response = await fetch(url, { headers: { 'X-Who': who } });
      await response.text();
      return response.status;
    };
    for (const who of viewers) {
      for (const organization of ['acme', 'globex']) {
        expect([await ask(who, organization), await ask(who, organization)]).toEqual([200, 200]);
        expect(await ask(who, organization)).toBe(429);
      }
    }
  });

  it('are not used up by who may not ask at all', async () => {
    const page = await startPageUnderTest(postgres, { rateLimits: { ...defaultRateLimits, search: few } });
    for (let i = 0; i < 5; i += 1) {
      expect((await fetch(`${page.origin}/organizations/globex/audit-logs`)).status).toBe(403);
    }
  });

  it('bound what is under way, and let go of what has ended or was given up', async () => {
    const page = await startPageUnderTest(postgres, {
      rateLimits: { ...defaultRateLimits, search: { ...few, requests: 1_000, atOnce: 2 } },
    });
    // All of the page's connections are taken, so that searches wait for one.
    const taken = await Promise.all(Array.from({ length: 8 }, () => page.db.connect()));
    const release = () => {
      for (const client of taken.splice(0)) client.release();
    };
    onTestFinished(release);
    const leaving = new AbortController();
    const first = fetch(page.origin + logs, { signal: leaving.signal }).catch(() => null);
    const second = fetch(page.origin + logs);
    const more = { 'HX-Request': 'true', 'HX-Request-Type': 'partial', 'HX-Target': 'tbody#more' };
    // One that is not refused waits itself, so it is given up again.
    const refused = await waitFor(async () => {
      const options = { headers: more, signal: AbortSignal.timeout(500) };
      const response = await fetch(page.origin + logs, options).catch(() => null);
      return response?.status === 429 && response;
    });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.text()).toMatch(
      /id="more"[\s\S]*2 of your requests like this one are still running/,
    );
    leaving.abort();
    await first;
    release();
    expect((await second).status).toBe(200);
    await waitFor(async () => (await fetch(page.origin + logs)).status === 200);
  });
});
