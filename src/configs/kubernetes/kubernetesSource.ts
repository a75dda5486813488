/**
 * AuditExportConfigs from a cluster: builds the parts that follow them and write their status, and takes them down.
 *
 *   reflector → objects → judge (manifest + Secrets) → states → onChange (configObjects.ts)
 *   status → writer → one apply (statusWriter.ts) → Event when Ready changes
 *
 * Promises:
 *  - Level-triggered: what is reported follows from the objects as they stand, never from which event came.
 *  - A config that becomes wrong, and a Secret or a cluster that cannot be read, leave the last good config running.
 *  - Only a complete read, or a deletion the server reports, ends an export.
 *  - It recovers from everything the API server may do; what is wrong is said once.
 *
 * Not here: how objects are kept up to date (reflector.ts), Secrets (secretStore.ts).
 */
import type { BackoffLimits } from '../../basics/backoff.ts';
import { RateLimit } from '../../basics/rateLimit.ts';
import type { Remark } from '../../model/exportConfig.ts';
import type { ExportStatus, LedgerStatus } from '../../model/streamStatus.ts';
import type { KubernetesMetrics } from '../../telemetry/kubernetesMetrics.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ConfigEditor } from '../configEditor.ts';
import type { ConfigSource } from '../configSource.ts';
import type { ConfigStates } from '../configStates.ts';
import { ManifestEditor } from '../editor/manifestEditor.ts';
import { type ApiClient, makeApiClient } from './apiClient.ts';
import { type ClusterRules, toSelector } from './clusterRules.ts';
import { readClusterStatus } from './clusterStatus.ts';
import { ConfigObjects } from './configObjects.ts';
import type { ClusterConnection } from './connection.ts';
import { CrdCheck } from './crdCheck.ts';
import { EventRecorder, findEvents } from './eventRecorder.ts';
import type { KubeObject } from './kubeObject.ts';
import { listPages } from './listPages.ts';
import { Reflector, type ReflectorTiming } from './reflector.ts';
import { collectionPath } from './resource.ts';
import { apiRetry } from './retryDelay.ts';
import { SourceHealth } from './sourceHealth.ts';
import { StatusWriter } from './statusWriter.ts';
import { ObjectStore } from './store/objectStore.ts';

export interface KubernetesSourceOptions {
  readonly connection: ClusterConnection;
  /** The one namespace to watch; null: all. */
  readonly namespace: string | null;
  /**
   * Where the page makes new configs. Default: the one that is watched; else the namespace of the kubeconfig, which in a
   * pod is that of its ServiceAccount; else `default`.
   */
  readonly createNamespace?: string | null;
  readonly rules: ClusterRules;
  readonly log: Logger;
  readonly metrics: KubernetesMetrics;
  readonly userAgent: string;
  /** Name of this replica in Events. */
  readonly instance: string;
  /** Waits after a failed read or write. Default: 0.8 s doubling to 30 s. */
  readonly retry?: BackoffLimits;
  readonly timing?: Partial<ReflectorTiming>;
}

/** A thousand exports that start write a thousand statuses, within 20 s. */
const statusLimit = { perSecond: 50, burst: 50 };
const flushMs = 5_000;

export class KubernetesSource implements ConfigSource {
  readonly scope: string;
  readonly hasSharedGenerations = true;
  readonly editor: ConfigEditor;
  readonly #options: KubernetesSourceOptions;
  readonly #started = Promise.withResolvers<void>();
  readonly #stopped = new AbortController();
  readonly #api: ApiClient;
  readonly #configs: ConfigObjects;
  readonly #events: EventRecorder;
  readonly #crd: CrdCheck;
  readonly #writer: StatusWriter;
  readonly #health: SourceHealth;
  readonly #reflector: Reflector;
  /** By uid, those that are told with the next status besides the manifest's own. */
  readonly #remarks = new Map<string, readonly Remark[]>();

  constructor(options: KubernetesSourceOptions) {
    const { connection, namespace, log, metrics, rules, retry = apiRetry, timing = {} } = options;
    this.#options = options;
    const { countRequest, countWatchRestart } = metrics;
    const api = makeApiClient({ connection, userAgent: options.userAgent, countRequest });
    this.#api = api;
    this.#configs = new ConfigObjects({
      api,
      rules,
      log,
      metrics,
      retry,
      timing,
      onSeen: (object) => this.#onSeen(object),
      onGone: (object) => this.#onGone(object),
    });
    this.#events = new EventRecorder({ api, log, instance: options.instance });
    this.#crd = new CrdCheck({ api, log, retry });
    this.#writer = new StatusWriter({
      api,
      log,
      retry,
      limit: new RateLimit(statusLimit),
      crd: this.#crd,
      countFailure: metrics.countStatusFailure,
      onWritten: (object, status, told) => this.#tell(object, status, told),
    });
    this.#health = new SourceHealth({
      log,
      server: api.server,
      namespace,
      onChange: (isFollowing) => {
        metrics.setFollowing(isFollowing);
        // Enough for a start: what is wrong has been said, and it goes on from here.
        if (!isFollowing) this.#started.resolve();
      },
    });
    const selectors = toSelector(rules.labels);
    this.#reflector = new Reflector({
      api,
      path: collectionPath(namespace),
      query: selectors,
      list: (signal) => listPages(api, collectionPath(namespace), signal, { selectors }),
      streamsInitialState: true,
      onRestart: () => countWatchRestart('configs'),
      retry,
      timing,
      sink: {
        replace: (objects) => this.#configs.replace(objects),
        apply: (type, object) => this.#configs.apply(type, object),
        onHealth: (failure) => this.#health.report(failure),
      },
    });
    this.editor = this.#makeEditor();
    this.scope = ['kubernetes', connection.identity(), namespace ?? '*', ...Object.values(selectors)].join(
      ' ',
    );
  }

  async start(onChange: (configs: ConfigStates) => void): Promise<void> {
    this.#configs.start((configs) => {
      onChange(configs);
      // Secrets may change while manifests cannot be read.
      this.#options.metrics.setFollowing(this.#health.isFollowing);
      this.#started.resolve();
    });
    this.#crd.start();
    this.#reflector.start();
    await this.#started.promise;
  }

  async writeStatus(key: string, status: ExportStatus, remarks: readonly Remark[] = []): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#remarks.set(key, remarks);
    this.#writer.write(key, status);
  }

  previousStatus(key: string): ExportStatus | null {
    return this.#writer.latest(key);
  }

  async readLedger(key: string): Promise<LedgerStatus | null> {
    return this.#writer.latest(key)?.ledger ?? null;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#started.resolve();
    const stopping = this.#configs.stop();
    await this.#crd.stop();
    await this.#reflector.stop();
    await stopping;
    await this.#writer.stop(AbortSignal.timeout(flushMs));
    await this.#events.stop();
    await this.#api.close();
  }

  #makeEditor(): ConfigEditor {
    const { connection, namespace, createNamespace, rules } = this.#options;
    const context = connection.getContextObject(connection.getCurrentContext());
    const store = new ObjectStore({
      api: this.#api,
      namespace,
      createNamespace: namespace ?? createNamespace ?? context?.namespace ?? 'default',
      rules,
      stateOf: (uid) => this.#configs.stateOf(uid),
      signal: this.#stopped.signal,
    });
    return new ManifestEditor(store);
  }

  #onSeen(object: KubeObject): void {
    this.#writer.observe(object);
    const conditions = readClusterStatus(object)?.conditions ?? [];
    this.#options.metrics.setConditions(object.metadata, conditions);
  }

  #onGone({ metadata }: KubeObject): void {
    this.#writer.forget(metadata.uid);
    this.#events.forget(metadata.uid);
    this.#remarks.delete(metadata.uid);
    this.#options.metrics.setConditions(metadata, []);
  }

  #tell(object: KubeObject, status: ExportStatus, told: ExportStatus | null): void {
    const state = this.#configs.stateOf(object.metadata.uid);
    const own = state?.kind === 'valid' ? (state.config.remarks ?? []) : [];
    const remarks = [...own, ...(this.#remarks.get(object.metadata.uid) ?? [])];
    for (const event of findEvents(status, told, remarks)) this.#events.record(object, event);
  }
}
