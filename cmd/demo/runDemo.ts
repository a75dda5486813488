/**
 * The whole product on one machine: starts Postgres, receiver, collector and sample product in this order, waits until
 * it is told to stop or one of them dies, and stops them in reverse order.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Teardown } from '../../src/basics/teardown.ts';
import { findEmbeddedBinaries, startPostgres } from '../../tools/postgres/postgres.ts';
import { choosePort } from './choosePort.ts';
import { shutdownGraceMs, startCollector } from './collector.ts';
import { writeConfigs } from './configs.ts';
import { prepareDatabase } from './database.ts';
import { provideLedgerKey } from './ledgerKey.ts';
import { describeDemo } from './legend.ts';
import { takeLock } from './lock.ts';
import { takeNotes } from './notes.ts';
import { runProduct, seedHistory } from './product.ts';
import { startReceiver } from './receiver.ts';
import { readState, writeState } from './state.ts';

export interface DemoOptions {
  /** Holds all the demo's data; created if missing. */
  readonly directory: string;
  /** Entries that the sample product writes per second, on average. */
  readonly entriesPerSecond: number;
  /** Ends the demo, even while it starts. */
  readonly stop: AbortSignal;
  /** Ends it at once by killing what still runs. */
  readonly kill: AbortSignal;
  readonly write: (text: string) => void;
  /** Each of its lines becomes an entry; null: there is no input. */
  readonly input: NodeJS.ReadableStream | null;
}

const wishedPorts = { postgres: 54_320, receiver: 4_318, operations: 9_090, page: 8_080 };
const historyEntries = 3_000;

/**
 * Resolves when all of it has stopped: with null after `stop`, with one sentence if it could not start or
 * something died.
 */
export async function runDemo(options: DemoOptions): Promise<string | null> {
  const teardown = new Teardown();
  options.kill.addEventListener('abort', () => teardown.kill());
  const death = Promise.withResolvers<string>();
  const stopped = new Promise<null>((resolve) => {
    options.stop.addEventListener('abort', () => resolve(null), { once: true });
    if (options.stop.aborted) resolve(null);
  });
  let problem: string | null;
  try {
    await start(options, teardown, death.resolve);
    problem = await Promise.race([death.promise, stopped]);
  } catch (error) {
    problem = options.stop.aborted ? null : (error as Error).message;
  }
  await takeDown(teardown, options.write);
  return problem;
}

async function takeDown(teardown: Teardown, write: (text: string) => void): Promise<void> {
  const { names } = teardown;
  if (names.length > 0) write(`\nStopping ${names.join(', then ')} …\n`);
  for (const problem of await teardown.run()) write(`! ${problem}\n`);
  if (names.length > 0) write('Stopped.\n');
}

/** Returns early when told to stop. @throws Error one sentence. */
async function start(
  options: DemoOptions,
  teardown: Teardown,
  onDeath: (sentence: string) => void,
): Promise<void> {
  const { directory, stop, write } = options;
  const configDirectory = join(directory, 'configs');
  const stateFile = join(directory, 'demo.json');
  const logFile = join(directory, 'collector.log');
  const tell = (line: string): void => write(`! ${line}\n`);

  await mkdir(directory, { recursive: true });
  const lock = await takeLock(join(directory, 'demo.lock'));
  if (lock.kind === 'taken') {
    throw new Error(
      `The demo is already running in ${directory} (process ${lock.pid}): stop it first, or use another folder: npm start -- --directory FOLDER.`,
    );
  }
  teardown.add({ name: null, stop: () => lock.release() });

  const postgresPort = await choosePort(wishedPorts.postgres);
  write(`Starting Postgres on port ${postgresPort.port}${postgresPort.note} … `);
  const postgres = await startPostgres({
    binaries: await findEmbeddedBinaries(),
    dataDirectory: join(directory, 'postgres'),
    port: postgresPort.port,
    onUnexpectedEnd: onDeath,
  });
  teardown.add({
    name: 'Postgres',
    stop: () => postgres.stop(),
    kill: () => void postgres.stop('immediate'),
  });
  write('ready.\n');
  if (stop.aborted) return;

  const database = await prepareDatabase(postgres.url);
  if (database.isEmpty) {
    write(`Writing a history of ${historyEntries} entries … `);
    await seedHistory({ databaseUrl: database.productUrl, count: historyEntries, signal: stop });
    write('done.\n');
  }
  if (stop.aborted) return;

  const state = await readState(stateFile);
  const receiverPort = await choosePort(state.receiverPort ?? wishedPorts.receiver);
  const receiver = await startReceiver({
    port: receiverPort.port,
    authorization: state.authorization,
    write,
    // The history must not push the legend off the screen.
    linesPerSecond: 10,
  });
  teardown.add({ name: 'the receiver', stop: () => receiver.close() });
  await writeConfigs({
    directory: configDirectory,
    endpoint: receiver.url,
    previousEndpoint: state.receiverPort === null ? null : `http://127.0.0.1:${state.receiverPort}`,
    authorization: state.authorization,
  });
  await writeState(stateFile, { ...state, receiverPort: receiverPort.port });

  const ledgerKey = await provideLedgerKey(directory);
  const operationsPort = await choosePort(wishedPorts.operations);
  const pagePort = await choosePort(wishedPorts.page);
  write(
    `Starting the receiver on port ${receiverPort.port}${receiverPort.note} and the collector with its page on port ${pagePort.port}${pagePort.note} and its metrics on port ${operationsPort.port}${operationsPort.note} …\n`,
  );
  const collector = await startCollector({
    settings: {
      DATABASE_URL: database.collectorUrl,
      CONFIG_SOURCE: 'directory',
      CONFIG_DIRECTORY: configDirectory,
      OPERATIONS_ADDRESS: `127.0.0.1:${operationsPort.port}`,
      PAGE_ADDRESS: `127.0.0.1:${pagePort.port}`,
      AUTH_MODE: 'local',
      REPLICA_NAME: 'demo',
      LEDGER_KEY_FILE: ledgerKey.key,
      // Wait for its line that it has started.
      LOG_LEVEL: 'info',
      // Counters in the status files change while you watch.
      STATUS_INTERVAL_MS: '2000',
      SHUTDOWN_GRACE_MS: String(shutdownGraceMs),
    },
    logFile,
    onNews: tell,
    onUnexpectedEnd: onDeath,
  });
  teardown.add({ name: 'the collector', stop: () => collector.stop(), kill: () => collector.kill() });
  if (stop.aborted) return;

  write(
    describeDemo({
      pageUrl: `http://127.0.0.1:${pagePort.port}`,
      authorization: state.authorization,
      productUrl: database.productUrl,
      superuserUrl: postgres.url,
      configDirectory,
      operationsUrl: `http://127.0.0.1:${operationsPort.port}`,
      logFile,
      ledgerPublicKey: ledgerKey.publicKey,
      takesNotes: options.input !== null,
    }),
  );

  const productEnd = new AbortController();
  const product = runProduct({
    databaseUrl: database.productUrl,
    perSecond: options.entriesPerSecond,
    signal: productEnd.signal,
    onProblem: tell,
  });
  product.catch((error: Error) => onDeath(`The sample product failed: ${error.message}.`));
  const notes = options.input && takeNotes(options.input, database.productUrl, tell);
  teardown.add({
    name: 'the product',
    async stop() {
      productEnd.abort();
      await notes?.stop();
      await product.catch(() => {});
    },
  });
}
