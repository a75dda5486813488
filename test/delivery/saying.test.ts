/** What the status, the page and an entry say while something is broken, and once it no longer is: one row each. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DirectorySource } from '../../src/configs/directory/directorySource.ts';
import { type StateName, states } from '../../src/model/states.ts';
import type { ExportStatus } from '../../src/model/streamStatus.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { ok, type ReceiverAnswer } from '../tools/receiver.ts';
import { startPair } from '../tools/standby.ts';
import { startTcpProxy } from '../tools/tcpProxy.ts';
import { type Product, startProduct } from './saying.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

interface Trouble {
  /** Hours that the clock of the collector is ahead. */
  readonly clockHours?: number;
  /** Nothing can be written meanwhile: the entry is one from before. */
  readonly isUnwritable?: boolean;
  /** Returns what ends it. */
  readonly begin: (product: Product) => Promise<() => unknown>;
  /** Of the two entries that are written meanwhile: how many the receiver keeps. */
  readonly kept?: number;
  readonly during: Said;
  /** Default: all is delivered. */
  readonly after?: Said;
}

interface Said {
  readonly status: RegExp;
  readonly badge: StateName;
  readonly page?: RegExp;
  readonly entry: RegExp;
}

const delivered: Said = {
  status: /^True Delivering: Every entry is delivered\./,
  badge: 'delivering',
  entry: /siem Delivered (?:Between|At|By) /,
};

const answering =
  (answer: ReceiverAnswer) =>
  async ({ receiver }: Product) => {
    receiver.answerWith(answer);
    return () => receiver.answerWith(ok);
  };

/** `isTaken`: the collector knows of it. */
const changing =
  (changes: Record<string, unknown>, isTaken: (status: ExportStatus) => boolean) =>
  async ({ writeConfig, collector }: Product) => {
    await writeConfig(changes);
    await collector.waitForStatus('siem', isTaken);
    return () => writeConfig();
  };

const rejecting = (rejected: number, stored: boolean): ReceiverAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ partialSuccess: { rejectedLogRecords: rejected, errorMessage: 'too old' } }),
  stored,
});

/** By the superuser, in the collector's database. */
const sql =
  (begin: (role: string) => string, end: (role: string) => string) =>
  async ({ db, role }: Product) => {
    await db.query(begin(role));
    return () => db.query(end(role));
  };

const databaseAway: Said = {
  status: /^False DatabaseUnavailable: /,
  badge: 'database-unavailable',
  entry: /Waiting: the collector cannot use its database right now\./,
};

/** Not before an admin has looked there. */
const incomplete: Said = {
  status: /^True Incomplete: All but 1 entry are delivered\./,
  badge: 'incomplete',
  page: /Rejected 1/,
  entry: /siem Delivered or rejected .*rejected 1 entry without saying which/,
};

const troubles: Readonly<Record<string, Trouble>> = {
  'the receiver is down': {
    begin: async ({ receiver }) => {
      await receiver.refuse();
      return () => receiver.listen();
    },
    during: {
      status: /^False ConnectionRefused: .*127\.0\.0\.1/,
      badge: 'retrying',
      entry: /siem Pending Waiting: siem does not accept entries right now \(ConnectionRefused\)/,
    },
  },
  'the receiver answers 401': {
    begin: answering({ status: 401 }),
    during: {
      status: /^False Unauthorized: .*401/,
      badge: 'holding',
      entry: /siem Pending Waiting: siem is stopped \(401\)\. Fix it/,
    },
  },
  'the receiver answers 200 with a login page': {
    begin: answering({
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<title>Sign in</title>',
      stored: false,
    }),
    during: {
      status: /^False NotOtlp: /,
      badge: 'holding',
      // A 200 sounds as if all were well.
      entry: /siem Pending Waiting: siem is stopped \(NotOtlp\)\. Fix it/,
    },
  },
  'the host has no address': {
    begin: changing({ endpoint: 'http://siem.invalid:4318/v1/logs' }, ({ resolvedEndpoint }) =>
      /invalid/.test(resolvedEndpoint ?? ''),
    ),
    during: {
      status: /^False DnsFailed: .*siem\.invalid/,
      badge: 'retrying',
      entry: /siem Pending Waiting: siem does not accept entries right now \(DnsFailed\)/,
    },
  },
  'the receiver takes its time': {
    begin: async ({ receiver }) => {
      const gate = Promise.withResolvers<ReceiverAnswer>();
      onTestFinished(() => gate.resolve(ok));
      receiver.answerWith(() => gate.promise);
      return () => gate.resolve(ok);
    },
    during: {
      status: /^True Delivering: 2 entries are pending\./,
      badge: 'delivering',
      page: /Pending 2 /,
      entry: /siem Pending Not delivered yet: it waits for its turn\./,
    },
  },
  'the receiver rejects every record': {
    begin: answering(rejecting(2, false)),
    during: {
      status: /^False EntryRefused: .*too old/,
      badge: 'holding',
      entry: /siem Pending Waiting: siem is stopped \(EntryRefused\)\. Fix it/,
    },
  },
  'the receiver rejects one of two records, and does not say which': {
    begin: answering(rejecting(1, true)),
    kept: 2,
    ...{ during: incomplete, after: incomplete },
  },
  'it is suspended': {
    begin: changing({ suspend: true }, ({ conditions }) => conditions[0]?.reason === 'Suspended'),
    during: {
      status: /^False Suspended: /,
      badge: 'suspended',
      entry: /siem Pending Waiting until siem is resumed\./,
    },
  },
  'its Secret is deleted': {
    begin: async ({ collector }) => {
      const folder = join(collector.directory, 'secrets', 'siem');
      await rename(folder, `${folder}-gone`);
      return () => rename(`${folder}-gone`, folder);
    },
    kept: 2,
    during: {
      status: /^False Secret\w*: .*siem.*the last good version stays in force/,
      badge: 'misconfigured',
      page: /last good version/,
      entry: /siem Delivered /,
    },
  },
  'its manifest is invalid': {
    begin: changing({ maxBatchSize: 100_000 }, ({ conditions }) => conditions[0]?.reason === 'InvalidSpec'),
    kept: 2,
    during: {
      status: /^False InvalidSpec: .*maxBatchSize.*the last good version stays in force/,
      badge: 'misconfigured',
      page: /last good version/,
      entry: /siem Delivered /,
    },
  },
  'its role has lost a right': {
    begin: sql(
      (role) => `revoke update on audit.streams from "${role}"`,
      (role) => `select audit.grant_collector('${role}')`,
    ),
    during: databaseAway,
  },
  'somebody has locked the table of streams': {
    begin: async ({ url }) => {
      const session = await openSession(url);
      onTestFinished(() => session.end());
      await session.query('begin; lock table audit.streams in access exclusive mode');
      return () => session.query('rollback');
    },
    during: { ...databaseAway, entry: /siem Not known The database does not say right now/ },
  },
  'the database is stopped': {
    begin: async () => {
      await postgres.server.stop();
      onTestFinished(() => postgres.server.restart());
      return () => postgres.server.restart();
    },
    isUnwritable: true,
    // The page itself cannot read an entry, and says nothing of its delivery.
    during: { ...databaseAway, entry: /database/i },
  },
  'the database may only be read': {
    begin: async ({ db, role }) => {
      const put = async (value: string) => {
        await db.query(
          `alter role "${role}" ${value} default_transaction_read_only ${value === 'set' ? '= on' : ''}`,
        );
        await db.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [role]);
      };
      await put('set');
      return () => put('reset');
    },
    during: databaseAway,
  },
  'its only replica was killed': {
    begin: async (product) => {
      const { collector, url } = product;
      const db = openDatabase(url);
      const source = new DirectorySource({
        directory: collector.directory,
        log: makeLogger({ level: 'silent' }),
      });
      await source.start(() => {});
      onTestFinished(async () => {
        await source.stop();
        await db.end();
      });
      const { editor } = source;
      const { pageOrigin } = product;
      product.pageOrigin = (await startPageUnderTest(postgres, { context: { db, editor } })).origin;
      await collector.kill('SIGKILL');
      return () => {
        product.pageOrigin = pageOrigin;
        collector.start();
      };
    },
    during: {
      // Nobody is left to write another.
      status: /^True Delivering: /,
      badge: 'not-reporting',
      entry: /siem Pending Waiting: no collector reports on siem right now\./,
    },
  },
  'its clock is two hours ahead, and the receiver answers 401': {
    clockHours: 2,
    begin: answering({ status: 401 }),
    during: {
      status: /^False Unauthorized: /,
      badge: 'holding',
      entry: /siem Pending Waiting: siem is stopped \(401\)\. Fix it/,
    },
  },
  'its clock is two hours behind, and the receiver rejects one of two records': {
    clockHours: -2,
    begin: answering(rejecting(1, true)),
    kept: 2,
    ...{ during: incomplete, after: incomplete },
  },
  'the disk of the database is full': {
    begin: sql(
      () => `create function audit.full() returns trigger language plpgsql as $$
        begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
        create trigger full_disk before update on audit.streams execute function audit.full()`,
      () => `drop trigger full_disk on audit.streams; drop function audit.full()`,
    ),
    during: databaseAway,
  },
};

test.each(Object.entries(troubles))('%s', { timeout: 90_000 }, async (_, trouble) => {
  const { clockHours = 0 } = trouble;
  const prefix = clockHours === 0 ? [] : ['env', `NODE_OPTIONS=--import=${clockAhead(clockHours)}`];
  await walk(await startProduct(await postgres.createDatabase(), { prefix }), trouble);
});

test('the database is a standby', { timeout: 120_000 }, async () => {
  const pair = await startPair({ prepare: migrateDatabase });
  onTestFinished(() => pair.remove());
  const { port, retarget } = await startTcpProxy(pair.ports[0]);
  const product = await startProduct(pair.primaryUrl, { port });
  await walk(product, {
    begin: async () => {
      await pair.catchUp();
      retarget(pair.ports[1]);
      return () => retarget(pair.ports[0]);
    },
    // A standby refuses a write before anything else is noticed.
    during: { ...databaseAway, status: /^False Database(?:NotPrimary|Unavailable): / },
  });
});

async function walk(product: Product, trouble: Trouble): Promise<void> {
  const { begin, isUnwritable = false, kept = 0, during, after = delivered } = trouble;
  const { receiver } = product;
  const [before = ''] = await product.insert(1);
  await receiver.waitFor((r) => r.ledger.storedCount === 3);
  const end = await begin(product);
  const [entry = ''] = isUnwritable ? [before] : await product.insert(2);
  await expectSaid(product, entry, during);
  expect(receiver.ledger.storedCount).toBe(3 + kept);
  await end();
  if (isUnwritable) await product.insert(2);
  await expectSaid(product, entry, after);
  await receiver.waitFor((r) => r.ledger.storedCount === 5);
  expect(receiver.ledger.missingSequences()).toEqual([]);
}

/** What Node imports before anything else. */
function clockAhead(hours: number): string {
  const code = `const { now } = Date; Date.now = () => now() + ${hours * 3_600_000};
    globalThis.Date = new Proxy(Date, { construct: (of, args, as) => Reflect.construct(of, args.length ? args : [of.now()], as) });`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

function expectSaid(
  product: Product,
  entry: string,
  { status, badge, page, entry: words }: Said,
): Promise<unknown> {
  const shown = new RegExp(`^${states[badge].word}: .*${page?.source ?? ''}`);
  return product.waitForSaying(entry, { status, page: shown, entry: words });
}
