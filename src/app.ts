/**
 * Builds the collector in order, bottom up, and takes it down in the opposite one.
 *
 *   settings → database → transport → delivery ⇄ configs → status → page
 */
import { randomUUID } from 'node:crypto';
import { Teardown } from './basics/teardown.ts';
import type { ConfigState } from './configs/configSource.ts';
import { listAsked, listReserved, listRunnable, listStopped, withRemarks } from './configs/configStates.ts';
import { keeperOf, listClaims, organizationOf } from './configs/ledgerClaims.ts';
import { makeSource } from './configs/makeSource.ts';
import { readMigrations } from './database/migrate.ts';
import { endPools, openPools, type Pools } from './database/pools.ts';
import { waitForDatabase } from './database/waitForDatabase.ts';
import { BufferPool } from './delivery/bufferPool.ts';
import { ByteBudget } from './delivery/byteBudget.ts';
import { ConfigNotes } from './delivery/configNotes.ts';
import { planMemory } from './delivery/memory.ts';
import { makeSend, type Send } from './delivery/send.ts';
import { Supervisor } from './delivery/supervisor.ts';
import { hashKeys } from './delivery/wantedStreams.ts';
import { Checkpoints } from './ledger/checkpoints.ts';
import { ledgerRemarks } from './ledger/ledgerRemarks.ts';
import { startLedger } from './ledger/worker.ts';
import type { Remark } from './model/exportConfig.ts';
import { type Page, startPage } from './page.ts';
import { startProbes } from './probes.ts';
import { applyRetentionDays } from './retention/applyRetentionDays.ts';
import { startRetention } from './retention/worker.ts';
import { rereadSetting } from './settings/rereadSetting.ts';
import type { Settings } from './settings/table.ts';
import { programVersion } from './settings/version.ts';
import { DatabaseWait } from './status/databaseWait.ts';
import { decideStatus } from './status/exportStatus.ts';
import { withLedger } from './status/ledgerStatus.ts';
import { StatusPublisher } from './status/publisher.ts';
import type { Logger } from './telemetry/logger.ts';
import { type Metrics, makeMetrics } from './telemetry/metrics.ts';
import { isPageLocal, openTransport } from './transport/openTransport.ts';

const backlogIntervalMs = 10_000;

export interface App {
  readonly operationsPort: number;
  /** null: there is no page. */
  readonly pagePort: number | null;
  /**
   * Stage one of a shutdown, in this order: stop reading, end waits, finish or abort what is in flight, settle, write
   * status, give leases back, close. Stage two is the caller's: exit if this takes too long.
   *
   * @throws Error naming each part that did not stop as it should, once all have been told to.
   */
  stop(): Promise<void>;
}

export type AppStart =
  | { readonly kind: 'started'; readonly app: App }
  | { readonly kind: 'failed'; readonly problems: string[] }
  /** `stop` aborted while it waited for the database. */
  | { readonly kind: 'stopped' };

/**
 * Waits for the database as long as it takes: `/livez` answers meanwhile, `/readyz` and the log say what is missing. All else
 * that keeps the collector from starting is in `problems`, one sentence each.
 */
export async function startApp(settings: Settings, log: Logger, stop: AbortSignal): Promise<AppStart> {
  const teardown = new Teardown();
  let isStopping = false;
  const takeDown = (): Promise<string[]> => {
    isStopping = true;
    return teardown.run();
  };
  const fail = async (problems: string[]): Promise<AppStart> => {
    await takeDown();
    return { kind: 'failed', problems };
  };

  const metrics = makeMetrics({ version: programVersion });
  const pools = openPools({
    url: () => rereadSetting(settings, 'databaseUrl'),
    size: settings.databasePoolSize,
    onIdleError(error) {
      metrics.countDatabaseError(error);
      log.debug({ err: error }, 'an idle database connection broke');
    },
    onElsewhere: () =>
      log.warn(
        'DATABASE_URL now names another server, database or option. This process keeps to the one it began with: restart it to use the new one.',
      ),
  });
  teardown.add({ name: 'the database connections', stop: () => endPools(pools) });
  const migrations = await readMigrations();
  const ownPorts = settings.pageAddress ? [settings.pageAddress.port] : [];
  const transport = openTransport(settings, log, ownPorts);
  const send = makeSend(transport, { quotesAnyWords: isPageLocal(settings) });
  const publisher = new StatusPublisher(settings.statusIntervalMs);
  /** null: it waits for the database. */
  let started: Supervisor | null = null;
  /** Everything has started, the page too. */
  let isUp = false;
  /** null: not read yet. */
  let configs: ReadonlyMap<string, ConfigState> | null = null;
  const operations = await startProbes(settings, metrics, log, {
    db: pools.control,
    migrations,
    isConfigRead: () => configs !== null && isUp,
    isMoving: () => started?.isMoving() ?? true,
  });
  if (operations.kind === 'listening') {
    ownPorts.push(operations.port);
    teardown.add({ name: 'the operations server', stop: () => operations.close() });
  }
  teardown.add({ name: 'the connections to receivers', stop: () => transport.close() });

  const made = await makeSource(settings, log, metrics);
  if (operations.kind === 'failed' || made.kind === 'failed') {
    return fail([operations, made].flatMap((part) => (part.kind === 'failed' ? part.problem : [])));
  }
  const { source } = made;

  // After the last status, which only the holder of a stream may write.
  teardown.add({ name: 'the leases', stop: async () => started?.leave() });
  // After the last status: a stopped source writes none.
  teardown.add({ name: 'the source of the manifests', stop: () => source.stop() });
  teardown.add({ name: 'the status', stop: () => publisher.stop() });
  const wait = new DatabaseWait(() => {
    for (const key of configs?.keys() ?? []) publisher.notify(key);
  });
  teardown.add({ name: null, stop: async () => wait.end() });
  const checkpoints = new Checkpoints({
    db: pools.page,
    log,
    signing: { name: settings.ledgerName, keys: settings.ledgerKey ?? [] },
    readClaims: async () => configs && listClaims(configs, (key) => source.readLedger(key)),
    onCounts: metrics.setLedgerCounts,
  });
  const remarksOf = (key: string): readonly Remark[] => {
    const state = configs?.get(key);
    const more = state ? ledgerRemarks(checkpoints.viewOf(organizationOf(state) ?? '')) : [];
    return [...(started?.remarksOf(key) ?? []), ...more];
  };
  publisher.start({
    keys: () => configs?.keys() ?? [],
    decide(key, written) {
      const state = configs?.get(key);
      if (!state) return { kind: 'not-ours' };
      const standing = source.previousStatus?.(key) ?? written;
      if (!started) return withLedger(wait.decide(state, standing, new Date()), standing, null);
      const stated = withRemarks(state, remarksOf(key));
      const decision = decideStatus(stated, started.healthOf(key), standing, new Date());
      const witness = { keeper: keeperOf(state), origin: standing?.ledger?.origin ?? null };
      return withLedger(decision, standing, checkpoints.statusOf(organizationOf(state), witness));
    },
    write: (key, status) => source.writeStatus(key, status, remarksOf(key)),
  });
  const notes =
    settings.configChangeEntries === 'write' && source.scope !== undefined
      ? new ConfigNotes({ db: pools.control, log, scope: source.scope })
      : null;
  const useConfigs = (states: ReadonlyMap<string, ConfigState>): void => {
    started?.setConfigs(listRunnable(states), listReserved(states), listStopped(states));
    notes?.set(listAsked(states, source.hasSharedGenerations === true));
    for (const key of states.keys()) publisher.notify(key);
  };
  let server: { readonly version: string } | null;
  let page: Page | null;
  /** Until it has started, nothing in flight is worth waiting for. */
  let graceMs = 0;
  try {
    await source.start((states) => {
      if (isStopping) return;
      for (const key of configs?.keys() ?? []) if (!states.has(key)) publisher.forget(key);
      configs = states;
      metrics.setConfigSource({
        synced: true,
        configs: states.size,
        problems: [...states.values()].filter((state) => state.kind === 'invalid').length,
      });
      useConfigs(states);
    });
    server = await waitForDatabase(
      pools.control,
      migrations,
      {
        wants: () => hashKeys(listRunnable(configs ?? new Map()).keys()),
        onProblem: (problem) =>
          log.warn(`nothing is exported yet: ${problem} Trying again every few seconds.`),
        onTry: (problem, isAlone) => wait.tried(problem, isAlone),
      },
      stop,
    );
    if (server === null) {
      await takeDown();
      return { kind: 'stopped' };
    }
    await applyRetentionDays(pools.control, settings.retentionDays, log);
    const delivery = makeDelivery(settings, pools, send, log, metrics, (key) => publisher.notify(key));
    await delivery.start();
    teardown.add({ name: 'the delivery', stop: () => delivery.drain(graceMs) });
    started = delivery;
    wait.end();
    if (configs !== null) useConfigs(configs);
    page = await startPage(settings, { db: pools.page, source, send, transport, log, metrics });
  } catch (error) {
    return fail([(error as Error).message]);
  }
  if (notes) {
    notes.start();
    teardown.add({ name: 'the notes of changes', stop: () => notes.stop() });
  }
  const retention = startRetention({
    db: pools.page,
    log,
    // Until the manifests have been read, it does not know of any.
    isReady: () => configs !== null && started?.areStreamsMade() === true,
    onDeleted: metrics.countRetentionDeleted,
    onState: metrics.setRetention,
  });
  teardown.add({ name: 'the retention', stop: () => retention.stop() });
  const ledger = startLedger({
    db: pools.page,
    log,
    name: settings.ledgerName,
    checkpoints,
    onSealed: metrics.countSealed,
    onScrubbed: metrics.countScrubbed,
    onWaiting: metrics.setUnsealed,
  });
  teardown.add({ name: 'the ledger', stop: () => ledger.stop() });
  if (settings.ledgerKey === null)
    log.info(
      'entries are sealed, and nothing is signed: set LEDGER_KEY for checkpoints that prove who sealed them',
    );
  if (page) {
    ownPorts.push(page.port);
    teardown.add({ name: 'the page', stop: page.stop });
  }
  graceMs = settings.shutdownGraceMs;
  isUp = true;
  const ports = { operationsPort: operations.port, pagePort: page?.port ?? null };
  log.info({ version: programVersion, postgres: server.version, ...ports }, 'collector started');
  return {
    kind: 'started',
    app: {
      ...ports,
      async stop() {
        log.info('stopping');
        const problems = await takeDown();
        if (problems.length > 0) throw new Error(problems.join(' '));
        log.info('stopped');
      },
    },
  };
}

function makeDelivery(
  settings: Settings,
  pools: Pools,
  send: Send,
  log: Logger,
  metrics: Metrics,
  onStatus: (key: string) => void,
): Supervisor {
  const memory = planMemory();
  return new Supervisor(
    {
      db: pools.streams,
      log,
      send,
      budget: new ByteBudget(memory.budgetBytes),
      buffers: new BufferPool(memory.keptBytes),
      options: {
        serviceName: settings.serviceName,
        version: programVersion,
        maxBatchBytes: settings.maxBatchBytes,
        maxRequestsInFlight: settings.maxRequestsInFlight,
        retry: { initialMs: settings.retryInitialMs, maxMs: settings.retryMaxMs },
        hold: { initialMs: settings.holdInitialMs, maxMs: settings.holdMaxMs },
      },
    },
    {
      control: pools.control,
      replica: { id: randomUUID(), name: settings.replicaName },
      leaseDurationMs: settings.leaseDurationMs,
      pollIntervalMs: settings.pollIntervalMs,
      backlogIntervalMs,
    },
    metrics,
    onStatus,
  );
}
