/** A whole product, with what its status, its page and each of its entries say in plain words, held against its receiver. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { findFreePort } from '../../tools/freePort.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { watchClaims } from '../tools/claimWatcher.ts';
import { type CollectorProcess, makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, numbered, openDatabase, uidsOf } from '../tools/database.ts';
import { type Receiver, startReceiver } from '../tools/receiver.ts';
import { makeRole } from '../tools/roles.ts';

export interface Saying {
  /** `True Delivering: …`: status, reason and message of `Ready`; empty: there is none. */
  readonly status: string;
  /** `Delivering: …`: the badge of the destination, then everything around it. */
  readonly page: string;
  /** What the entry says of its delivery. */
  readonly entry: string;
}

export interface Product {
  /** As the superuser. */
  readonly db: Database;
  readonly url: string;
  /** Of the collector, which has the rights that the docs give it. */
  readonly role: string;
  readonly receiver: Receiver;
  readonly collector: CollectorProcess;
  readonly spec: Readonly<Record<string, unknown>>;
  /** Of the collector's own page, or of another one that is asked instead. */
  pageOrigin: string;
  writeConfig(changes?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Returns ids. */
  insert(count: number): Promise<string[]>;
  /** What is said now. */
  read(entry: string): Promise<Saying>;
  /** Resolves once all of it is said, with what is said then. */
  waitForSaying(entry: string, wanted: Readonly<Record<keyof Saying, RegExp>>): Promise<Saying>;
}

const logs = '/organizations/acme/audit-logs';

function plain(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** As often as the page lets one viewer ask; in between, the answer of before. */
function makeSeldom(ask: (path: string, target?: string) => Promise<string>): typeof ask {
  const answers = new Map<string, { readonly at: number; readonly text: Promise<string> }>();
  return (path, target) => {
    const before = answers.get(path);
    if (before && performance.now() - before.at < 400) return before.text;
    const text = ask(path, target);
    answers.set(path, { at: performance.now(), text });
    return text;
  };
}

/** `port`: the collector reaches the database there. Delivers two entries to begin with. Ended with the test, which fails when a status or a badge has lied at any time. */
export async function startProduct(
  url: string,
  { prefix = [], port: databasePort }: { readonly prefix?: readonly string[]; readonly port?: number } = {},
): Promise<Product> {
  const db = openDatabase(url);
  onTestFinished(() => db.end());
  const { role, url: roleUrl } = await makeRole(db, url);
  const ownUrl = new URL(roleUrl);
  if (databasePort !== undefined) ownUrl.port = `${databasePort}`;
  await db.query('select audit.grant_collector($1)', [role]);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const port = await findFreePort();
  const collector = await makeCollectorProcess(
    ownUrl.href,
    {
      PAGE_ADDRESS: `127.0.0.1:${port}`,
      AUTH_MODE: 'local',
      LOG_LEVEL: 'warn',
      LEASE_DURATION_MS: '2000',
    },
    undefined,
    prefix,
  );
  await mkdir(join(collector.directory, 'secrets', 'siem'), { recursive: true });
  await writeFile(join(collector.directory, 'secrets', 'siem', 'token'), 'good');
  const spec = {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
    headers: [{ name: 'X-Token', valueFrom: { secretKeyRef: { name: 'siem', key: 'token' } } }],
  };

  const ask = makeSeldom(async (path: string, target?: string): Promise<string> => {
    const partial = { 'HX-Request': 'true', 'HX-Request-Type': 'partial', 'HX-Target': target ?? '' };
    const answer = await fetch(`${product.pageOrigin}${logs}${path}`, {
      headers: target === undefined ? {} : partial,
      signal: AbortSignal.timeout(8_000),
    }).catch(() => undefined);
    return (await answer?.text().catch(() => undefined)) ?? '';
  });
  const readStatus = async (): Promise<string> => {
    const ready = (await collector.readStatus('siem'))?.conditions.find(({ type }) => type === 'Ready');
    return ready === undefined ? '' : `${ready.status} ${ready.reason}: ${ready.message}`;
  };
  const readPage = async (): Promise<string> => {
    const html = await ask('/export/default.siem/state?live=1', 'section#export-state');
    const [badge] = /<span class="badge[\s\S]*?<\/span>/.exec(html.replace(/^[\s\S]*export-now/, '')) ?? [];
    return badge === undefined ? plain(html) : `${plain(badge)}: ${plain(html)}`;
  };
  const readEntry = async (entry: string): Promise<string> => {
    const html = await ask(`/entries/${entry}`);
    return plain(
      /<ul class="deliveries">[\s\S]*?<\/ul>/.exec(html)?.[0] ?? html.replace(/<head>[\s\S]*<\/head>/, ''),
    );
  };

  const product: Product = {
    ...{ db, url, role, receiver, collector, spec, pageOrigin: `http://127.0.0.1:${port}` },
    writeConfig: (changes = {}) => collector.writeConfig('siem', { ...spec, ...changes }),
    insert: (count) => insertEntries(db, numbered(count)),
    read: async (entry) => ({
      status: await readStatus(),
      page: await readPage(),
      entry: await readEntry(entry),
    }),
    waitForSaying: async (entry, wanted) => {
      let said: Saying | undefined;
      const kinds = Object.keys(wanted) as Array<keyof Saying>;
      return waitFor(
        async () => {
          said = await product.read(entry);
          return kinds.every((kind) => wanted[kind].test(said?.[kind] ?? '')) ? said : undefined;
        },
        {
          timeoutMs: 15_000,
          describe: () => `${JSON.stringify(said, null, 1)}\n${collector.output().slice(-1_500)}`,
        },
      );
    },
  };

  await product.writeConfig();
  collector.start();
  const [first = ''] = await product.insert(2);
  await product.waitForSaying(first, {
    status: /^True Delivering: Every entry is delivered\.$/,
    page: /^Delivering: /,
    entry: /siem Delivered/,
  });
  const committed = async () => uidsOf(db).catch(() => []);
  // What a collector that was killed has left in the file is nobody's word any more, until the next one writes another.
  let left: string | null = null;
  const readStatusOfLiving = async (): Promise<string | undefined> => {
    const words = await readStatus();
    if (!collector.isRunning) left = words;
    if (words === left) return undefined;
    left = null;
    return words;
  };
  watchClaims({
    look: async () => {
      const sight = { committed: await committed(), kept: receiver.ledger.kept() };
      return new Map([
        ['status', { ...sight, words: await readStatusOfLiving() }],
        ['page', { ...sight, words: (await readPage()) || undefined }],
      ]);
    },
  });
  return product;
}
