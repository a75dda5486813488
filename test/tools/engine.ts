/** The delivery engine inside the test process: real database, real transport, configs handed in by the test. */
import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { BufferPool } from '../../src/delivery/bufferPool.ts';
import { ByteBudget } from '../../src/delivery/byteBudget.ts';
import type { DeliveryOptions } from '../../src/delivery/deliveryContext.ts';
import { makeSend, type Send } from '../../src/delivery/send.ts';
import { Supervisor } from '../../src/delivery/supervisor.ts';
import type { Destination, ExportConfig, ExportSpec, ReplayRequest } from '../../src/model/exportConfig.ts';
import type { StreamHealth } from '../../src/model/streamHealth.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { makeAddressGuard } from '../../src/transport/addressGuard.ts';
import { makeTransport } from '../../src/transport/transport.ts';
import { waitFor } from '../../tools/waitFor.ts';

export interface EngineOptions extends Partial<DeliveryOptions> {
  readonly leaseDurationMs?: number;
  readonly replicaName?: string;
  /** Default: never, so that a test counts its own entries only. */
  readonly tellIntervalMs?: number;
  readonly attemptIntervalMs?: number;
  /** Milliseconds since the Unix epoch, for what takes hours. */
  readonly now?: () => number;
  /** In place of the real transport: for what no receiver can cause. */
  readonly send?: Send;
}

export interface Engine {
  readonly supervisor: Supervisor;
  readonly metrics: ReturnType<typeof makeMetrics>;
  /** Log lines so far. */
  readonly log: string[];
  setConfigs(...configs: ExportConfig[]): void;
  health(key?: string): StreamHealth | null;
  waitForHealth(
    condition: (health: StreamHealth) => boolean,
    key?: string,
    timeoutMs?: number,
  ): Promise<StreamHealth>;
  /** Everything delivered or parked, nothing under way. */
  waitForIdle(key?: string, timeoutMs?: number): Promise<StreamHealth>;
  stop(graceMs?: number): Promise<void>;
}

/** Waits are short, so that tests are; stopped with the test. */
export async function startEngine(db: Database, options: EngineOptions = {}): Promise<Engine> {
  const {
    leaseDurationMs = 10_000,
    replicaName = 'test',
    send,
    now = Date.now,
    tellIntervalMs = Number.POSITIVE_INFINITY,
    attemptIntervalMs,
    ...delivery
  } = options;
  const lines: string[] = [];
  const log = makeLogger({ level: 'debug', destination: { write: (line: string) => void lines.push(line) } });
  const transport = makeTransport({
    guard: makeAddressGuard({ refusedRanges: [] }),
    userAgent: 'audit-export-test',
  });
  const metrics = makeMetrics({ version: 'test' });
  const supervisor = new Supervisor(
    {
      db,
      log,
      now,
      send: send ?? makeSend(transport),
      budget: new ByteBudget(64 * 1024 * 1024),
      buffers: new BufferPool(8 * 1024 * 1024),
      options: {
        serviceName: 'audit-export',
        version: 'test',
        maxBatchBytes: 4 * 1024 * 1024,
        maxRequestsInFlight: 4,
        retry: { initialMs: 20, maxMs: 100 },
        hold: { initialMs: 50, maxMs: 100 },
        ...delivery,
      },
    },
    {
      control: db,
      replica: { id: randomUUID(), name: replicaName },
      leaseDurationMs,
      pollIntervalMs: 50,
      backlogIntervalMs: 100,
      tellIntervalMs,
      ...(attemptIntervalMs !== undefined && { attemptIntervalMs }),
    },
    metrics,
    () => {},
  );
  await supervisor.start();
  let stopped: Promise<void> | null = null;
  const engine: Engine = {
    supervisor,
    metrics,
    log: lines,
    setConfigs: (...configs) => supervisor.setConfigs(new Map(configs.map((config) => [config.key, config]))),
    health: (key = 'test/acme') => supervisor.healthOf(key),
    waitForHealth: (condition, key = 'test/acme', timeoutMs = 30_000) =>
      waitFor(
        () => {
          const health = supervisor.healthOf(key);
          return health !== null && condition(health) ? health : undefined;
        },
        {
          timeoutMs,
          describe: () => `${JSON.stringify(supervisor.healthOf(key))}\n${lines.slice(-10).join('')}`,
        },
      ),
    waitForIdle: (key, timeoutMs) =>
      engine.waitForHealth((health) => health.activity === 'idle', key, timeoutMs),
    stop: (graceMs = 2_000) => {
      stopped ??= (async () => {
        await supervisor.drain(graceMs);
        await supervisor.leave();
        await transport.close();
      })();
      return stopped;
    },
  };
  onTestFinished(() => engine.stop());
  return engine;
}

export interface ConfigOptions extends Partial<ExportSpec> {
  readonly key?: string;
  readonly destination?: Partial<Destination>;
  readonly takesOver?: boolean;
  readonly replay?: ReplayRequest;
}

/** A config as a source would hand it over; starts from the beginning unless it says otherwise. */
export function makeConfig(endpoint: string, options: ConfigOptions = {}): ExportConfig {
  const { key = 'test/acme', destination, takesOver, replay, ...spec } = options;
  return {
    key,
    namespace: 'test',
    name: key.replace(/^.*\//, ''),
    generation: 1,
    ...(takesOver === undefined ? {} : { takesOver }),
    ...(replay === undefined ? {} : { replay }),
    spec: {
      organization: 'acme',
      endpoint,
      maxBatchSize: 1000,
      startFrom: { kind: 'beginning' },
      suspend: false,
      filter: { eventTypes: [], excludeEventTypes: [], projects: [] },
      ...spec,
    },
    destination: {
      url: new URL(endpoint),
      headers: [],
      compression: 'gzip',
      timeoutMs: 5_000,
      tls: { insecureSkipVerify: false },
      fingerprint: JSON.stringify([endpoint, destination]),
      ...destination,
    },
  };
}
