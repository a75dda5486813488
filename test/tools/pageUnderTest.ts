/** The page in the test's own process: a real database, a directory of manifests, the real transport, a given viewer. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { DirectorySource } from '../../src/configs/directory/directorySource.ts';
import type { Database } from '../../src/database/pool.ts';
import { makeSend } from '../../src/delivery/send.ts';
import { loopbackRanges } from '../../src/settings/loopback.ts';
import { type Logger, makeLogger } from '../../src/telemetry/logger.ts';
import { makeAddressGuard } from '../../src/transport/addressGuard.ts';
import { makeTransport } from '../../src/transport/transport.ts';
import type { Authenticator } from '../../src/web/auth/authenticator.ts';
import { startPageServer } from '../../src/web/pageServer.ts';
import type { RateLimits } from '../../src/web/security/rateLimits.ts';
import type { Viewer, WebContext } from '../../src/web/visit.ts';
import { findFreePort } from '../../tools/freePort.ts';
import { openDatabase } from './database.ts';
import type { TestPostgres } from './postgres.ts';

export interface PageUnderTest {
  /** Such as `http://127.0.0.1:40000`. */
  readonly origin: string;
  readonly db: Database;
  readonly databaseUrl: string;
  /** Of the manifests; empty at first. */
  readonly directory: string;
  /** Log lines so far. */
  readonly log: readonly string[];
  /** Closes the server, as a collector that is stopped does. */
  readonly stop: () => Promise<void>;
}

export interface PageUnderTestOptions {
  /** Ada, admin of `acme`, unless it says otherwise. */
  readonly viewer?: Viewer;
  /** Given the origin, for a mode that must know it. */
  readonly authenticator?: Authenticator | ((parts: AuthenticatorParts) => Authenticator);
  readonly rateLimits?: RateLimits;
  /** Default: any free one. */
  readonly port?: number;
  /** Where browsers reach it, if that is a proxy. Default: the page's own address. */
  readonly publicOrigin?: string;
  readonly context?: Partial<WebContext>;
  /** For endpoints that are typed on the page. Default: loopback, where receivers of tests are. */
  readonly allowedRanges?: readonly string[];
}

export interface AuthenticatorParts {
  readonly origin: string;
  readonly db: Database;
  readonly log: Logger;
}

export const ada: Viewer = { id: 'u-ada', name: 'Ada Lovelace', administers: new Set(['acme']) };

/** Knows everybody as `viewer`. */
export function always(viewer: Viewer): Authenticator {
  return { middleware: null, identify: async () => ({ kind: 'known', viewer, logoutUrl: '/logout' }) };
}

/** Stopped with the test. */
export async function startPageUnderTest(
  postgres: TestPostgres,
  options: PageUnderTestOptions = {},
): Promise<PageUnderTest> {
  const databaseUrl = await postgres.createDatabase();
  const db = openDatabase(databaseUrl);
  const directory = await mkdtemp(join(tmpdir(), 'audit-export-page-'));
  const log: string[] = [];
  const logger = makeLogger({ level: 'info', destination: { write: (line: string) => void log.push(line) } });
  const source = new DirectorySource({ directory, log: logger });
  await source.start(() => {});
  const transport = makeTransport({
    guard: makeAddressGuard({ refusedRanges: [], allowedRanges: options.allowedRanges ?? loopbackRanges }),
    userAgent: 'audit-export-test',
  });
  const send = makeSend(transport);
  const port = options.port ?? (await findFreePort());

  const origin = options.publicOrigin ?? `http://127.0.0.1:${port}`;
  const { authenticator = always(options.viewer ?? ada) } = options;
  const page = await startPageServer({
    address: { host: '127.0.0.1', port },
    authenticator:
      typeof authenticator === 'function' ? authenticator({ origin, db, log: logger }) : authenticator,
    publicOrigin: origin,
    ...(options.rateLimits && { rateLimits: options.rateLimits }),
    context: {
      db,
      editor: source.editor,
      send: (destination, body, signal) => send(destination, body, signal),
      inspect: (destination, signal) => transport.inspect({ destination, signal }),
      serviceName: 'audit-export',
      version: 'test',
      log: logger,
      ...options.context,
    },
  });
  if (page.kind === 'failed') throw new Error(page.problem);
  onTestFinished(async () => {
    await page.close();
    await source.stop();
    await transport.close();
    await db.end();
    await rm(directory, { recursive: true, force: true });
  });
  return { origin, db, databaseUrl, directory, log, stop: page.close };
}
