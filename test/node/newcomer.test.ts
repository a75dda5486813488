/**
 * The way of a newcomer on a real node: the image that is built, `helm install`, one `kubectl apply`, and an entry
 * arrives; then an upgrade while entries are written, and an uninstall. Nothing is lost, repeated or out of number.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { provideTool, toolTimeoutMs } from '../tools/build.ts';
import { insertEntries, numbered } from '../tools/database.ts';
import { isNodeMissing, type Node, startNode } from '../tools/node.ts';
import { usePostgres } from '../tools/postgres.ts';
import { prepareRelease } from './release.ts';

describe.skipIf(isNodeMissing())('a release in real pods', () => {
  const postgres = usePostgres();
  let node: Node;
  beforeAll(async () => {
    await provideTool('helm');
    node = await startNode();
  }, toolTimeoutMs);
  afterAll(() => node?.stop());

  test('installs, delivers, is upgraded while entries come, and is uninstalled: each entry arrives once', {
    timeout: 300_000,
  }, async () => {
    const { db, receiver, values, kubectl, helm, applyConfig } = await prepareRelease(node, postgres);
    const seconds: Record<string, number> = {};
    const timed = async (step: string, work: () => Promise<unknown>): Promise<void> => {
      const startedAt = Date.now();
      await work();
      seconds[step] = (Date.now() - startedAt) / 1000;
    };
    await timed('install', () => helm('install', values));
    await timed('apply', applyConfig);
    await timed('first entry', async () => {
      await insertEntries(db, numbered(1));
      await receiver.waitFor((r) => r.ledger.storedCount === 1, 30_000);
    });
    let shown = '';
    await waitFor(
      async () => {
        shown = await kubectl('get aec');
        return / True +Delivering +0 /.test(shown);
      },
      { timeoutMs: 30_000, describe: () => shown },
    );

    const podsBefore = await kubectl('get pods -o name');
    const product = startProduct(db);
    const settings = { ...values.settings, logLevel: 'debug' };
    await timed('upgrade', () => helm('upgrade', { ...values, settings }));
    const written = 1 + (await product.stop());
    expect(written).toBeGreaterThan(200);
    // None of the former pods is left, so every stream changed hands.
    await timed('former pods gone', () =>
      waitFor(
        async () => {
          const names = (await kubectl('get pods -o name')).trim().split('\n');
          return names.length === 2 && names.every((name) => !podsBefore.includes(name));
        },
        { timeoutMs: 60_000 },
      ),
    );
    await timed('last entry', () => receiver.waitFor((r) => r.ledger.storedCount >= written, 30_000));

    await timed('uninstall', () => helm('uninstall'));
    await waitFor(async () => (await kubectl('get pods -o name')) === '', { timeoutMs: 60_000 });
    expect(await kubectl('get aec -o name')).toBe('auditexportconfig.auditexport.dev/acme\n');

    process.stderr.write(`node: ${JSON.stringify({ ...node.seconds, ...seconds, written })}\n`);
    expect(receiver.problems).toEqual([]);
    expect(receiver.ledger.differences).toEqual([]);
    expect(receiver.ledger.missingSequences()).toEqual([]);
    const sightings = [...receiver.ledger.sightings().values()];
    expect(sightings.filter(({ received }) => received > 1)).toEqual([]);
    expect(Math.max(...sightings.map(({ sequence }) => sequence))).toBe(written);
    expect(sightings.length).toBe(written);
  });
});

const entriesAtOnce = 10;
const paceMs = 50;

/** Writes 200 entries a second until it is stopped; resolves with their number. */
function startProduct(db: Database): { stop(): Promise<number> } {
  let isStopping = false;
  const writing = (async () => {
    let written = 0;
    for (; !isStopping; written += entriesAtOnce) {
      await insertEntries(db, numbered(entriesAtOnce));
      await delay(paceMs);
    }
    return written;
  })();
  return {
    stop() {
      isStopping = true;
      return writing;
    },
  };
}
