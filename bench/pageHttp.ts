/** Whole pages over HTTP, from the request to the last byte: queries, choices of the filters, rendering. */
import { type Cursor, encodeCursor } from '../src/database/cursor.ts';
import type { Database } from '../src/database/pool.ts';
import { programVersion } from '../src/settings/version.ts';
import { makeLogger } from '../src/telemetry/logger.ts';
import { makeLocalAuthenticator } from '../src/web/auth/local.ts';
import { startPageServer } from '../src/web/pageServer.ts';
import { defaultRateLimits, type RateLimits } from '../src/web/security/rateLimits.ts';
import type { Bench } from './tools/bench.ts';
import type { Figure } from './tools/figure.ts';
import { bigOrganization, terms } from './tools/pageEntries.ts';
import { measure } from './tools/spread.ts';

export async function measureHttp(bench: Bench, db: Database, places: readonly Cursor[]): Promise<Figure[]> {
  const server = await startPageServer({
    address: { host: '127.0.0.1', port: 0 },
    authenticator: makeLocalAuthenticator(),
    rateLimits: withoutLimits(),
    context: {
      db,
      editor: undefined,
      send: () => Promise.reject(new Error('nothing is sent here')),
      inspect: async () => null,
      serviceName: 'bench',
      version: programVersion,
      log: makeLogger({ level: 'warn' }),
    },
  });
  if (server.kind === 'failed') throw new Error(server.problem);
  const base = `http://127.0.0.1:${server.port}/organizations/${bigOrganization}/audit-logs`;
  const page = (name: string, address: (place: Cursor) => string, goal = '≤ 60 ms p95'): Promise<Figure> => {
    bench.log(`${name}, by HTTP`);
    return measure(`page by HTTP: ${name}`, goal, places.length, (run) =>
      get(address(places[run % places.length] as Cursor)),
    );
  };
  try {
    return [
      await page('first page', () => `${base}?range=all`),
      await page('next page, anywhere', (place) => `${base}?before=${encodeCursor(place)}&range=all`),
      await page('frequent event type', () => `${base}?range=all&type=${terms.frequentType}`),
      await page('rare event type', () => `${base}?range=all&type=${terms.rareType}`),
      await page('an entry by its link, the list behind it', ({ id }) => `${base}/entries/${id}?range=all`),
      await page('histogram, after the list', () => `${base}/histogram?range=all`, '≤ 450 ms p95'),
      await page('actors, counted', () => `${base}/values/actor?range=all`, '≤ 450 ms p95'),
    ];
  } finally {
    await server.close();
  }
}

async function get(url: string): Promise<void> {
  const answer = await fetch(url);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 300)}`);
}

function withoutLimits(): RateLimits {
  const entries = Object.entries(defaultRateLimits).map(([cost, limit]) => [
    cost,
    { ...limit, requests: 1_000_000 },
  ]);
  return Object.fromEntries(entries) as RateLimits;
}
