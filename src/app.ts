/**
 * Builds the collector in order, bottom up, and takes it down in the opposite one.
 *
 *   settings → database → transport → supervisor ⇄ configs → status → page
 */
import { randomUUID } from 'node:crypto';
import type { ConfigState } from './configs/configSource.ts';
import { makeSource } from './configs/sources.ts';
import { checkServer, checkTables } from './database/check.ts';
import { readMigrations } from './database/migrate.ts';
import { makePool } from './database/pool.ts';
import type { StreamRequest } from './database/streams.ts';
import { BufferPool } from './delivery/bufferPool.ts';
import { ByteBudget } from './delivery/byteBudget.ts';
import { ConfigNotes, type NotedConfig } from './delivery/configNotes.ts';
import { planMemory } from './delivery/memory.ts';
import { makeSend } from './delivery/send.ts';
import { Supervisor } from './delivery/supervisor.ts';
import type { ExportConfig } from './model/exportConfig.ts';
import { type OperationsServer, startOperationsServer } from './operations/operationsServer.ts';
import { type Page, startPage } from './page.ts';
import { loopbackRanges } from './settings/loopback.ts';
import type { Settings } from './settings/settings.ts';
import { programVersion } from './settings/version.ts';
import { makeStatus } from './status/conditions.ts';
import { StatusPublisher } from './status/publisher.ts';
import type { Logger } from './telemetry/logger.ts';
import { makeMetrics } from './telemetry/metrics.ts';
import { makeAddressGuard } from './transport/addressGuard.ts';
import { makeTransport } from './transport/transport.ts';

const backlogIntervalMs = 10_000;
/** For leases, the poll and probes; the rest of DATABASE_POOL_SIZE is the streams'. */
const controlConnections = 2;

/** The page's own connections to the database, so that a slow search takes none from the delivery. */
const pageConnections = 4;

export interface App {
  readonly operationsPort: number;
  /** null: there is no page. */
  readonly pagePort: number | null;
  /**
   * Stage one of a shutdown, in this order: stop reading, end waits, finish or abort what is in flight, settle, write
   * status, give leases back, close. Stage two is the caller's: exit if this takes too long.
   */
  stop(): Promise<void>;
}

export type AppStart =
  | { readonly kind: 'started'; readonly app: App }
  | { readonly kind: 'failed'; readonly problems: string[] };

/** Everything that keeps the collector from starting is in `problems`, one sentence each. */
export async function startApp(settings: Settings, log: Logger): Promise<AppStart> {
  const metrics = makeMetrics({ version: programVersion });
  const migrations = await readMigrations();
  const onIdleError = (error: Error): void => {
    metrics.countDatabaseError(error);
    log.debug({ err: error }, 'an idle database connection broke');
  };
  const control = makePool({ url: settings.databaseUrl, size: controlConnections, onIdleError });
  // A thousand streams that catch up wait for their turn rather than call the database broken.
  const streamConnections = Math.max(1, settings.databasePoolSize - controlConnections);
  const db = makePool({ url: settings.databaseUrl, size: streamConnections, onIdleError, waitMs: 60_000 });

  const pageDb = makePool({ url: settings.databaseUrl, size: pageConnections, onIdleError });

  const endPools = async (): Promise<void> => {
    await Promise.all([control.end(), db.end(), pageDb.end()]);
  };
  let isConfigRead = false;
  let supervisor: Supervisor | null = null;
  const operations = await startOperationsServer({
    address: settings.operationsAddress,
    checks: {
      database: async () => toResult(await checkServer(control), 'The database answers.'),
      migrations: async () => toResult(await checkTables(control, migrations), 'The schema is up to date.'),
      configs: async () =>
        isConfigRead
          ? { ok: true, message: 'Every manifest has been read.' }
          : { ok: false, message: 'The manifests have not been read yet.' },
    },
    metrics,
    metricsToken: settings.metricsToken,
    isAlive: () =>
      supervisor === null || supervisor.isMoving()
        ? { ok: true, message: 'The process runs.' }
        : { ok: false, message: 'The delivery has not moved for ten minutes.' },
    logger: log,
  });
  const server = await checkServer(control);
  const tables = server.kind === 'ok' ? await checkTables(control, migrations) : server;
  const problems = [
    ...(operations.kind === 'failed' ? [operations.problem] : []),
    ...(tables.kind === 'failed' ? [tables.problem] : []),
  ];

  const source = await makeSource(settings, log, metrics);
  if (source.kind === 'failed') problems.push(source.problem);
  if (problems.length > 0 || operations.kind === 'failed' || source.kind === 'failed') {
    await close(operations);
    await endPools();
    return { kind: 'failed', problems };
  }

  let page: Page | null = null;
  const isLocal = settings.pageAddress !== null && settings.authMode === 'local';
  if (isLocal) {
    log.info(
      { allowed: loopbackRanges },
      'AUTH_MODE is local: endpoints that are typed on the page may lead to loopback addresses',
    );
  }
  const transport = makeTransport({
    guard: makeAddressGuard({
      refusedRanges: settings.refusedAddresses,
      allowedRanges: [...settings.allowedAddresses, ...(isLocal ? loopbackRanges : [])],
      ownPorts: () => [operations.port, page?.port ?? settings.pageAddress?.port ?? operations.port],
    }),
    identityHeaders: [
      settings.userHeader,
      settings.nameHeader,
      settings.groupsHeader,
      settings.proxySecretHeader,
    ],
    onHeaderLeftOut: (name, host) =>
      log.warn(
        { header: name, host },
        'a configured header is not sent: it is the collector’s own, or says who asks',
      ),
    userAgent: `audit-export/${programVersion} OTel-OTLP-Exporter-JavaScript/${programVersion}`,
  });
  const send = makeSend(transport, { quotesAnyWords: isLocal });
  const memory = planMemory();
  const delivery = new Supervisor(
    {
      db,
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
      control,
      replica: { id: randomUUID(), name: settings.replicaName },
      leaseDurationMs: settings.leaseDurationMs,
      pollIntervalMs: settings.pollIntervalMs,
      backlogIntervalMs,
    },
    metrics,
    (key) => publisher.notify(key),
  );

  supervisor = delivery;

  let isStopping = false;
  let states: ReadonlyMap<string, ConfigState> = new Map();
  const publisher = new StatusPublisher({
    counterIntervalMs: settings.statusIntervalMs,
    write: (key, status) => source.source.writeStatus(key, status),
    makeStatus: (key, previous) => {
      const state = states.get(key);
      if (!state) return null;
      const health = delivery.healthOf(key);
      const running = state.kind === 'valid' ? state.config : state.lastGood;
      // Only a stream's holder writes its status; where nothing can run, there is no holder.
      if (running && !health) {
        // By the time the stream is back here, another replica may have written.
        publisher.forget(key);
        return null;
      }
      const standing = source.source.previousStatus?.(key) ?? previous;
      // After a restart the status of before stands until there is news, or until there should have been.
      if (standing && state.kind === 'valid' && health?.activity === 'starting' && !health.isBehind)
        return null;
      return makeStatus({
        generation: state.kind === 'valid' ? state.config.generation : state.generation,
        resolvedEndpoint: running?.destination.url ?? null,
        reconcileAt: running?.reconcileAt ?? null,
        problem:
          state.kind === 'valid'
            ? null
            : { reason: state.reason, problems: state.problems, lastGoodRuns: running !== null },
        remarks: (running?.remarks ?? []).map(({ message }) => message),
        health,
        previous: standing?.conditions ?? [],
        now: new Date(),
      });
    },
  });

  const { scope } = source.source;
  const isNoting = settings.configChangeEntries === 'write' && scope !== undefined;
  const notes = isNoting ? new ConfigNotes({ db: control, log, scope }) : null;
  try {
    await delivery.start();
    await source.source.start((configs) => {
      if (isStopping) return;
      for (const key of states.keys()) if (!configs.has(key)) publisher.forget(key);
      states = configs;
      isConfigRead = true;
      metrics.setConfigSource({
        synced: true,
        configs: configs.size,
        problems: [...configs.values()].filter((state) => state.kind === 'invalid').length,
      });
      delivery.setConfigs(runnable(configs), reserved(configs));
      notes?.set(noted(configs, settings.configSource));
      for (const key of configs.keys()) publisher.notify(key);
    });
    page = await startPage(settings, { db: pageDb, source: source.source, send, log, metrics });
  } catch (error) {
    await source.source.stop();
    await delivery.drain(0);
    await delivery.leave();
    await close(operations);
    await transport.close();
    await endPools();
    return { kind: 'failed', problems: [(error as Error).message] };
  }
  publisher.start(() => states.keys());
  notes?.start();
  log.info(
    {
      version: programVersion,
      postgres: server.kind === 'ok' ? server.version : '',
      operationsPort: operations.port,
      pagePort: page?.port ?? null,
    },
    'collector started',
  );

  return {
    kind: 'started',
    app: {
      operationsPort: operations.port,
      pagePort: page?.port ?? null,
      async stop() {
        log.info('stopping');
        isStopping = true;
        await page?.stop();
        await notes?.stop();
        await delivery.drain(settings.shutdownGraceMs);
        await publisher.stop(states.keys());
        // After the last status: a stopped source writes none.
        await source.source.stop();
        await delivery.leave();
        await transport.close();
        await close(operations);
        await endPools();
        log.info('stopped');
      },
    },
  };
}

function runnable(configs: ReadonlyMap<string, ConfigState>): Map<string, ExportConfig> {
  const result = new Map<string, ExportConfig>();
  for (const [key, state] of configs) {
    const config = state.kind === 'valid' ? state.config : state.lastGood;
    if (config) result.set(key, config);
  }
  return result;
}

/** Streams of configs that wait for a Secret: they begin now, whatever comes when. */
function reserved(configs: ReadonlyMap<string, ConfigState>): StreamRequest[] {
  const result: StreamRequest[] = [];
  for (const [key, state] of configs) {
    if (state.kind === 'invalid' && state.lastGood === null && state.spec !== null) {
      const { organization, startFrom } = state.spec;
      result.push({ configKey: key, organization, startFrom });
    }
  }
  return result;
}

/** What each of them asks for, as far as it is in force; a generation of files is that of the process. */
function noted(
  configs: ReadonlyMap<string, ConfigState>,
  from: Settings['configSource'],
): Map<string, NotedConfig | null> {
  return new Map(
    [...configs].map(([key, state]) => {
      const { namespace, name, generation } = state.kind === 'valid' ? state.config : state;
      const spec = state.kind === 'valid' ? state.config.spec : state.spec;
      const numbered = from === 'kubernetes' ? generation : null;
      return [key, spec === null ? null : { namespace, name, generation: numbered, spec }];
    }),
  );
}

function toResult(
  check: { kind: 'ok' } | { kind: 'failed'; problem: string },
  fine: string,
): { ok: boolean; message: string } {
  return check.kind === 'ok' ? { ok: true, message: fine } : { ok: false, message: check.problem };
}

async function close(operations: OperationsServer): Promise<void> {
  if (operations.kind === 'listening') await operations.close();
}
