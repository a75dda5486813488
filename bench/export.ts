/**
 * Entries per second of a whole delivery (read, encode, gzip, POST, settle) divided by those of `COPY … TO STDOUT`, the fastest way
 * to get the same columns out of Postgres.
 */
import pg from 'pg';
import { type Bench, withClient } from './tools/bench.ts';
import { loadTable } from './tools/entries.ts';
import { type ExportRun, runExport } from './tools/exportRun.ts';
import { type Figure, median, pairedRatio, spread, whole } from './tools/figure.ts';
import { startReceiver } from './tools/receiver.ts';

const goals = { gzip: '≥ 0.65', zstd: '≥ 0.8' } as const;
const compressions = ['gzip', 'zstd'] as const;

export async function benchExport(bench: Bench): Promise<Figure[]> {
  const count = bench.quick ? 5_000 : 200_000;
  const rounds = bench.quick ? 1 : 5;
  const databaseUrl = await bench.createDatabase('bench_export');
  bench.log(`loading ${whole(count)} entries`);
  await withClient(databaseUrl, (client) => loadTable(client, count));
  const receiver = await startReceiver('keep');
  const copies: number[] = [];
  const exports = { gzip: [] as ExportRun[], zstd: [] as ExportRun[] };
  try {
    await copyOut(databaseUrl);
    for (let round = 1; round <= rounds; round++) {
      const copy = await copyOut(databaseUrl);
      for (const compression of compressions) {
        const run = await runExport(bench, { databaseUrl, count, receiver, compression });
        exports[compression].push(run);
      }
      const last = compressions.map((each) => `${each} ${exports[each].at(-1)?.seconds.toFixed(2)} s`);
      bench.log(`round ${round} of ${rounds}: COPY ${copy.toFixed(2)} s, ${last.join(', ')}`);
      copies.push(copy);
    }
  } finally {
    await receiver.stop();
  }
  return compressions.map((compression) => {
    const runs = exports[compression];
    const seconds = runs.map((run) => run.seconds);
    const megabytes = median(runs.map(({ bytes }) => bytes)) / 1e6;
    return {
      figure: `export with ${compression}: entries/s against COPY TO STDOUT`,
      ratio: pairedRatio(copies, seconds),
      goal: goals[compression],
      detail: `${whole(count / median(seconds))} against ${whole(count / median(copies))} entries/s, medians of ${rounds} interleaved rounds, the ratio taken round by round (export ${spread(seconds)} s, COPY ${spread(copies)} s), ${whole(count)} entries in one stream, default settings, ${megabytes.toFixed(0)} MB on the wire, a fresh collector each time; ${describeCpu(runs)}`,
    };
  });
}

function describeCpu(runs: readonly ExportRun[]): string {
  const of = (part: keyof ExportRun['cpu']) => {
    const values = runs.map((run) => run.cpu[part]);
    return values.includes(null) ? '?' : median(values.map(Number)).toFixed(1);
  };
  return `CPU seconds of an export: collector ${of('collector')} (its start included), Postgres ${of('postgres')}, receiver ${of('receiver')}`;
}

const copySql = `copy (
  select xid, id, uid, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at
  from audit.entries where organization = 'acme') to stdout`;
/** ReadyForQuery, outside a transaction: the last message of an answer. */
const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** Returns seconds. The bytes are counted and discarded, unparsed. */
async function copyOut(connectionString: string): Promise<number> {
  const client = new pg.Client({ connectionString });
  // The socket is destroyed while still in use at the end.
  client.on('error', () => {});
  await client.connect();
  const { connection } = client as pg.Client & { connection: pg.Connection };
  const { stream } = connection;
  // From here on only this code reads the socket.
  stream.removeAllListeners('data');
  try {
    const startedAt = performance.now();
    await new Promise<void>((resolve, reject) => {
      let bytes = 0;
      stream.on('error', reject);
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (!chunk.subarray(-readyForQuery.length).equals(readyForQuery)) return;
        if (bytes > 1_000) resolve();
        else reject(new Error(`COPY failed: ${chunk}`));
      });
      connection.query(copySql);
    });
    return (performance.now() - startedAt) / 1000;
  } finally {
    stream.destroy();
  }
}
