/** The ledger: how fast entries are sealed and verified, what a sealed entry takes on the disk, and how soon it is sealed beside a busy product. */
import { generateKeyPairSync } from 'node:crypto';
import { type Database, makePool } from '../src/database/pool.ts';
import { checkpointLedgers } from '../src/ledger/checkpointLedgers.ts';
import { Fingerprinter } from '../src/ledger/fingerprint.ts';
import { LedgerKey } from '../src/ledger/ledgerKey.ts';
import { type SealOptions, sealOrganization } from '../src/ledger/sealOrganization.ts';
import { startLedger } from '../src/ledger/worker.ts';
import { Secret } from '../src/model/secret.ts';
import { makeLogger } from '../src/telemetry/logger.ts';
import { textReport } from '../src/verify/report.ts';
import { verifyInDatabase } from '../src/verify/verifyInDatabase.ts';
import { type Bench, withClient } from './tools/bench.ts';
import { loadTable } from './tools/entries.ts';
import { type Figure, whole } from './tools/figure.ts';
import { writeEntries } from './tools/writers.ts';

const organization = 'acme';
const perSecond = 1_000;

export async function benchLedger(bench: Bench): Promise<Figure[]> {
  const databaseUrl = await bench.createDatabase('bench_ledger');
  const db = makePool({ url: () => new Secret(databaseUrl), size: 3, onIdleError: () => {} });
  try {
    const sealing = await measureSealing(bench, databaseUrl, db);
    return [...sealing, await measureVerify(db), await measureLag(bench, databaseUrl, db)];
  } finally {
    await db.end();
  }
}

async function measureSealing(bench: Bench, databaseUrl: string, db: Database): Promise<Figure[]> {
  const count = bench.quick ? 5_000 : 300_000;
  await withClient(databaseUrl, (client) => loadTable(client, count, [organization]));
  const options: SealOptions = {
    db,
    name: 'bench',
    fingerprinter: new Fingerprinter(),
    signal: new AbortController().signal,
    share: 1,
    turnMs: 600_000,
  };
  const startedAt = performance.now();
  const usage = process.cpuUsage();
  while ((await sealOrganization(organization, options)) !== 'done');
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(usage);
  const cpuSeconds = (user + system) / 1e6;
  const { rows } = await db.query<{ size: string; bytes: string }>(
    `select size::text, (pg_total_relation_size('audit.ledger_bundles') + pg_total_relation_size('audit.ledgers'))::text as bytes from audit.ledgers`,
  );
  const sealed = Number(rows[0]?.size);
  return [
    {
      figure: 'ledger: entries sealed in a busy second',
      ratio: sealed / seconds,
      goal: '≥ 25000',
      detail: `${whole(sealed)} entries, one organization; ${whole(sealed / cpuSeconds)} a second of CPU; a collector takes a quarter of the time for it`,
    },
    {
      figure: 'ledger: bytes on the disk for a sealed entry',
      ratio: Number(rows[0]?.bytes) / sealed,
      goal: '≤ 70',
      detail: 'with indexes and what vacuum has not reclaimed yet',
    },
  ];
}

async function measureVerify(db: Database): Promise<Figure> {
  const { rows } = await db.query<{ id: string; size: string }>('select id, size::text from audit.ledgers');
  const keys = [new LedgerKey(generateKeyPairSync('ed25519').privateKey)];
  await checkpointLedgers(db, [rows[0]?.id ?? ''], new Map(), { name: 'bench', keys });
  const startedAt = performance.now();
  const usage = process.cpuUsage();
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const options = {
    organization,
    isTable: true,
    files: [],
    ledger: null,
    headers: {},
    copyHeaders: {},
    keys: [],
    unnamedKeys: [],
    origin: null,
    older: [],
    isFiltered: false,
    allowsUnsigned: false,
    acceptsPartly: false,
  };
  const code = await verifyInDatabase(db, options, keys, textReport(say), say);
  if (code !== 0) throw new Error(said.join(' '));
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(usage);
  const size = Number(rows[0]?.size);
  return {
    figure: 'verify --table: entries a second',
    ratio: size / seconds,
    goal: '≥ 20000',
    detail: `${whole(size)} entries and their ledger; ${whole((size * 1e6) / (user + system))} a second of CPU`,
  };
}

async function measureLag(bench: Bench, databaseUrl: string, db: Database): Promise<Figure> {
  const worker = startLedger({ db, log: makeLogger({ level: 'warn' }), name: 'bench' });
  const lags: number[] = [];
  const seconds = bench.quick ? 2 : 40;
  const writing = writeEntries({ databaseUrl, table: 'audit.entries', clients: 4, perSecond, seconds });
  let isOver = false;
  void writing.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { rows } = await db.query<{ lag: number }>(
      `select coalesce(max(extract(epoch from clock_timestamp() - e.occurred_at)), 0)::float8 as lag
       from audit.ledgers l, lateral (select e.occurred_at from audit.entries e where e.organization = l.organization
         and e.cluster = l.cluster and e.xid >= pg_snapshot_xmax(l.settled) order by e.xid limit 1) as e`,
    );
    lags.push(rows[0]?.lag ?? 0);
  }
  await writing;
  await worker.stop();
  return {
    figure: 'ledger: longest wait of an entry to be sealed, in s',
    ratio: Math.max(...lags),
    goal: '≤ 15',
    detail: `${perSecond} inserts/s by 4 clients for ${seconds} s, a quarter of the time for sealing`,
  };
}
