/** What the status, the page and an entry say while something is broken, and once it no longer is: one row each. */
import { expect, onTestFinished, test } from 'vitest';
import { DirectorySource } from '../../src/configs/directory/directorySource.ts';
import { states } from '../../src/model/states.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startPair } from '../tools/standby.ts';
import { startTcpProxy } from '../tools/tcpProxy.ts';
import { type Product, startProduct } from './saying.ts';
import { type Said, type Trouble, troublesOutside } from './troublesOutside.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

const delivered: Said = {
  status: /^True Delivering: Every entry is delivered\./,
  badge: 'delivering',
  entry: /siem Delivered (?:It is (?:number|one of the numbers) [^.]* there\. )?(?:Between|At|By) /,
};

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

const troublesInside: Readonly<Record<string, Trouble>> = {
  'its role has lost a right': {
    begin: sql(
      (role) => `revoke update on audit.streams from "${role}"`,
      (role) => `select audit.grant_collector('${role}')`,
    ),
    during: databaseAway,
  },
  'somebody has locked the table of streams': {
    begin: async ({ url, collector }) => {
      const session = await openSession(url);
      onTestFinished(() => session.end());
      await session.query('begin; select from audit.streams for update; savepoint with_rows');
      await session.query('lock table audit.streams in access exclusive mode');
      return async () => {
        // Polls are answered again, and say that entries wait; nothing can be read yet.
        await session.query('rollback to with_rows');
        await collector.waitForStatus('siem', ({ conditions }) =>
          conditions.some(({ message }) => /pending|how many wait is not known yet/.test(message)),
        );
        await session.query('rollback');
      };
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

test.each(Object.entries({ ...troublesOutside, ...troublesInside }))(
  '%s',
  { timeout: 90_000 },
  async (_, trouble) => {
    const { clockHours = 0 } = trouble;
    const prefix = clockHours === 0 ? [] : ['env', `NODE_OPTIONS=--import=${clockAhead(clockHours)}`];
    await walk(await startProduct(await postgres.createDatabase(), { prefix }), trouble);
  },
);

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
