/**
 * AuditExportConfigs from a cluster.
 *
 *   reflector → cache → queue → judge (manifest + Secrets) → states → onChange
 *   status → writer → one apply (statusWriter.ts) → Event when Ready turns
 *
 * Promises:
 *  - Level-triggered: what is reported follows from the objects as they stand, never from which event came.
 *  - A config that becomes wrong, and a Secret or a cluster that cannot be read, leave the last good config running.
 *  - Only a complete read, or a deletion the server reports, ends an export.
 *  - It recovers by itself from everything the API server may do; what is wrong is said once.
 *
 * Not here: how objects are kept up to date (reflector.ts), Secrets (secretStore.ts).
 */
import type { ExportConfig } from '../../model/exportConfig.ts';
import type { KubernetesMetrics } from '../../telemetry/kubernetesMetrics.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ConfigEditor } from '../configEditor.ts';
import type { ConfigSource, ConfigState } from '../configSource.ts';
import { ManifestEditor } from '../editor/manifestEditor.ts';
import { isSameState } from '../sameState.ts';
import { reconcileAtAnnotation } from '../schema.ts';
import { makeApiClient } from './apiClient.ts';
import type { ClusterRules } from './clusterRules.ts';
import { readClusterStatus } from './clusterStatus.ts';
import type { ClusterConnection } from './connection.ts';
import { makeCrdCheck } from './crdCheck.ts';
import { makeEmitter } from './emitter.ts';
import { makeEventRecorder } from './eventRecorder.ts';
import { judgeObject } from './judgeObject.ts';
import { isBeingDeleted, type KubeObject } from './kubeObject.ts';
import { listPages } from './listPages.ts';
import { makeNamespaceLimits } from './namespaceLimits.ts';
import { makeRateLimit } from './rateLimit.ts';
import { findEvents } from './readyEvents.ts';
import { Reflector, type ReflectorTiming } from './reflector.ts';
import { collectionPath } from './resource.ts';
import { apiRetry, type RetryLimits } from './retryDelay.ts';
import { makeSecretStore } from './secretStore.ts';
import { makeSourceHealth } from './sourceHealth.ts';
import { makeStatusWriter } from './statusWriter.ts';
import { ObjectStore } from './store/objectStore.ts';
import { makeWorkQueue } from './workQueue.ts';

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
  /** Of everything that reads or writes. Default: 0.8 s doubling to 30 s. */
  readonly retry?: RetryLimits;
  readonly timing?: Partial<ReflectorTiming>;
}

/** What is known of one config, by its uid. */
interface Known {
  object: KubeObject;
  state: ConfigState | null;
  lastGood: ExportConfig | null;
  /** Judged, or found that it cannot be for now. */
  isSettled: boolean;
}

/** Judging is work of the processor, not of the network: more at once would gain nothing. */
const judgesAtOnce = 4;
const judgeRetry: RetryLimits = { initialMs: 50, maxMs: 60_000 };
/** A thousand exports that start write a thousand statuses, within 20 s. */
const statusLimit = { perSecond: 50, burst: 50 };
const flushMs = 5_000;

export function makeKubernetesSource(
  options: KubernetesSourceOptions,
): ConfigSource & { readonly editor: ConfigEditor } {
  const {
    connection,
    namespace,
    log,
    metrics,
    userAgent,
    instance,
    rules,
    retry = apiRetry,
    timing = {},
  } = options;
  const api = makeApiClient({ connection, userAgent, countRequest: metrics.countRequest });
  const known = new Map<string, Known>();
  const started = Promise.withResolvers<void>();
  let hasSynced = false;
  let isStopped = false;

  const emitter = makeEmitter({ log, onFirst: started.resolve });
  const queue = makeWorkQueue({
    concurrency: judgesAtOnce,
    work: judge,
    retry: judgeRetry,
    onDepth: metrics.setQueueDepth,
    onFailure(key, error) {
      metrics.countReconcile('error');
      log.error({ key, err: error }, 'an export configuration could not be judged; tried again');
    },
  });
  const limits = makeNamespaceLimits(rules.limits, queue.add);
  const secrets = makeSecretStore({
    api,
    policy: rules.secrets,
    log,
    retry,
    timing,
    onChange: queue.add,
    onRestart: () => metrics.countWatchRestart('secrets'),
  });
  const events = makeEventRecorder({ api, log, instance });
  const crd = makeCrdCheck({ api, log, retry });
  const writer = makeStatusWriter({
    api,
    log,
    retry,
    limit: makeRateLimit(statusLimit),
    countFailure: metrics.countStatusFailure,
    toFitting: crd.toFitting,
    onRefused: crd.suspect,
    onWritten(object, status, told) {
      const state = known.get(object.metadata.uid)?.state;
      const remarks = state?.kind === 'valid' ? (state.config.remarks ?? []) : [];
      for (const event of findEvents(status, told, remarks)) events.record(object, event);
    },
  });
  const health = makeSourceHealth({
    log,
    server: api.server,
    namespace,
    onChange(isFollowing) {
      metrics.setFollowing(isFollowing);
      // Enough for a start: it has been said what is the matter, and it goes on by itself.
      if (!isFollowing) started.resolve();
    },
  });
  const reflector = new Reflector({
    api,
    path: collectionPath(namespace),
    list: (signal) => listPages(api, collectionPath(namespace), signal),
    streamsInitialState: true,
    onRestart: () => metrics.countWatchRestart('configs'),
    retry,
    timing,
    sink: {
      replace(objects) {
        const present = new Set(objects.map(({ metadata }) => metadata.uid));
        for (const uid of known.keys()) if (!present.has(uid)) remove(uid);
        for (const object of objects) take(object);
        hasSynced = true;
        emitWhenSettled();
      },
      apply(type, object) {
        if (type === 'DELETED') remove(object.metadata.uid);
        else take(object);
      },
      onHealth: health.report,
    },
  });

  /** A change of the status alone is no reason to judge. */
  function take(object: KubeObject): void {
    const { uid } = object.metadata;
    const before = known.get(uid);
    writer.observe(object);
    const status = readClusterStatus(object);
    metrics.setConditions(object.metadata, status?.conditions ?? []);
    if (before === undefined) {
      limits.add(object);
      known.set(uid, { object, state: null, lastGood: null, isSettled: false });
    } else {
      const isSame = isSameRequest(before.object, object);
      before.object = object;
      if (isSame) return;
    }
    queue.add(uid);
  }

  function remove(uid: string): void {
    const gone = known.get(uid);
    if (gone === undefined) return;
    known.delete(uid);
    secrets.want(uid, gone.object.metadata.namespace, []);
    limits.remove(gone.object);
    writer.forget(uid);
    events.forget(uid);
    metrics.setConditions(gone.object.metadata, []);
    if (gone.state !== null) log.info({ key: uid, ...nameOf(gone.object) }, 'export configuration deleted');
    emitWhenSettled();
  }

  async function judge(uid: string): Promise<void> {
    const entry = known.get(uid);
    if (entry === undefined) return;
    const judgement = await judgeObject(entry.object, entry.lastGood, judges);
    // Deleted meanwhile: what it referred to was given up, and taken again.
    if (known.get(uid) !== entry) return secrets.want(uid, entry.object.metadata.namespace, []);
    metrics.countReconcile(judgement.kind);
    if (judgement.kind === 'waiting') return;
    entry.isSettled = true;
    if (judgement.kind === 'judged') takeState(entry, judgement.state);
    emitWhenSettled();
  }

  function takeState(entry: Known, state: ConfigState): void {
    if (entry.state !== null && isSameState(entry.state, state)) return;
    entry.state = state;
    // What is not allowed any more must not come back when something else is wrong.
    entry.lastGood = state.kind === 'valid' ? state.config : state.lastGood;
    const fields = { key: entry.object.metadata.uid, ...nameOf(entry.object) };
    if (state.kind === 'valid') {
      log.info({ ...fields, generation: state.config.generation }, 'export configuration read');
    } else {
      const { reason, problems } = state;
      const keepsRunning = state.lastGood !== null;
      log.warn({ ...fields, reason, problems, keepsRunning }, 'export configuration is wrong');
    }
  }

  function emitWhenSettled(): void {
    if (!hasSynced || isStopped) return;
    if (!emitter.hasEmitted && [...known.values()].some(({ isSettled }) => !isSettled)) return;
    emitter.ring();
  }

  function listStates(): Map<string, ConfigState> {
    const states = new Map<string, ConfigState>();
    for (const [uid, { state }] of known) if (state !== null) states.set(uid, state);
    return states;
  }

  const judges = { secrets, limits, organizations: rules.organizations };
  const stopped = new AbortController();
  const context = connection.getContextObject(connection.getCurrentContext());
  const store = new ObjectStore({
    api,
    namespace,
    createNamespace: namespace ?? options.createNamespace ?? context?.namespace ?? 'default',
    rules,
    stateOf: (uid) => known.get(uid)?.state ?? null,
    signal: stopped.signal,
  });

  return {
    editor: new ManifestEditor(store),
    scope: `kubernetes ${connection.identity()} ${namespace ?? '*'}`,

    async start(onChange) {
      emitter.start(listStates, (configs) => {
        onChange(configs);
        // Secrets may change while manifests cannot be read.
        metrics.setFollowing(health.isFollowing);
      });
      crd.start();
      reflector.start();
      await started.promise;
    },

    async writeStatus(key, status) {
      if (!isStopped) writer.write(key, status);
    },

    previousStatus: (key) => writer.latest(key),

    async stop() {
      isStopped = true;
      stopped.abort();
      started.resolve();
      emitter.stop();
      await crd.stop();
      await reflector.stop();
      await queue.stop();
      await secrets.stop();
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), flushMs);
      await writer.stop(late.signal);
      await events.stop();
      clearTimeout(timer);
      await api.close();
    },
  };
}

/** Whether both ask for the same: the generation stands for the spec. */
function isSameRequest(before: KubeObject, now: KubeObject): boolean {
  const annotation = reconcileAtAnnotation;
  const [a, b] = [before.metadata, now.metadata];
  return (
    a.generation === b.generation &&
    a.annotations[annotation] === b.annotations[annotation] &&
    isBeingDeleted(before) === isBeingDeleted(now)
  );
}

function nameOf({ metadata }: KubeObject): { config: string } {
  return { config: `${metadata.namespace}/${metadata.name}` };
}
