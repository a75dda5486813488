/**
 * The AuditExportConfigs of a cluster by uid, and how each stands.
 *
 *   object → queue → judge (manifest + Secrets) → state → onChange
 *
 * The first report waits until every config has been judged, or cannot be judged for now.
 */
import type { BackoffLimits } from '../../basics/backoff.ts';
import { WorkQueue } from '../../basics/workQueue.ts';
import type { KubernetesMetrics } from '../../telemetry/kubernetesMetrics.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ConfigState } from '../configSource.ts';
import { type ConfigStates, isSameState, lastGoodOf, logDeletion, logState } from '../configStates.ts';
import { reconcileAtAnnotation, replayAnnotation, takeOverAnnotation } from '../schema.ts';
import type { ApiClient } from './apiClient.ts';
import type { ClusterRules } from './clusterRules.ts';
import { Emitter } from './emitter.ts';
import { judgeObject } from './judgeObject.ts';
import { isBeingDeleted, type KubeObject } from './kubeObject.ts';
import { NamespaceLimits } from './namespaceLimits.ts';
import type { ReflectorTiming } from './reflector.ts';
import { SecretStore } from './secretStore.ts';

export interface ConfigObjectsOptions {
  readonly api: ApiClient;
  readonly rules: ClusterRules;
  readonly log: Logger;
  readonly metrics: KubernetesMetrics;
  readonly retry: BackoffLimits;
  readonly timing: Partial<ReflectorTiming>;
  /** Called with every version of an object, also when only its status has changed. */
  readonly onSeen: (object: KubeObject) => void;
  readonly onGone: (object: KubeObject) => void;
}

interface Known {
  object: KubeObject;
  state: ConfigState | null;
  /** It has been judged, or cannot be for now. */
  isSettled: boolean;
}

/** Judging is work of the processor, not of the network: more at once would gain nothing. */
const judgesAtOnce = 4;
const judgeRetry: BackoffLimits = { initialMs: 50, maxMs: 60_000 };

export class ConfigObjects {
  readonly #options: ConfigObjectsOptions;
  readonly #known = new Map<string, Known>();
  readonly #queue: WorkQueue;
  readonly #limits: NamespaceLimits;
  readonly #secrets: SecretStore;
  readonly #emitter: Emitter;
  #hasSynced = false;

  constructor(options: ConfigObjectsOptions) {
    const { api, rules, log, metrics, retry, timing } = options;
    this.#options = options;
    this.#emitter = new Emitter(log, () => this.#listStates());
    this.#queue = new WorkQueue({
      concurrency: judgesAtOnce,
      work: (uid) => this.#judge(uid),
      retry: judgeRetry,
      onDepth: metrics.setQueueDepth,
      onFailure(key, error) {
        metrics.countReconcile('error');
        log.error({ key, err: error }, 'an export configuration could not be judged; trying again');
      },
    });
    const judgeAgain = (uid: string) => this.#queue.add(uid);
    this.#limits = new NamespaceLimits(rules.limits, judgeAgain);
    this.#secrets = new SecretStore({
      api,
      policy: rules.secrets,
      log,
      retry,
      timing,
      onChange: judgeAgain,
      onRestart: () => metrics.countWatchRestart('secrets'),
    });
  }

  start(onChange: (configs: ConfigStates) => void): void {
    this.#emitter.start(onChange);
  }

  /** null: not judged yet, or not there. */
  stateOf(uid: string): ConfigState | null {
    return this.#known.get(uid)?.state ?? null;
  }

  /** Takes a complete read: what is not in it is gone. */
  replace(objects: readonly KubeObject[]): void {
    const present = new Set(objects.map(({ metadata }) => metadata.uid));
    for (const uid of this.#known.keys()) if (!present.has(uid)) this.#remove(uid);
    for (const object of objects) this.#take(object);
    this.#hasSynced = true;
    this.#emitWhenSettled();
  }

  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void {
    if (type === 'DELETED') this.#remove(object.metadata.uid);
    else this.#take(object);
  }

  /** Reports nothing from now on; resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#emitter.stop();
    await this.#queue.stop();
    await this.#secrets.stop();
  }

  /** A change of the status alone does not need judging. */
  #take(object: KubeObject): void {
    const { uid } = object.metadata;
    const before = this.#known.get(uid);
    this.#options.onSeen(object);
    if (before === undefined) {
      this.#limits.add(object);
      this.#known.set(uid, { object, state: null, isSettled: false });
    } else {
      const isSame = isSameRequest(before.object, object);
      before.object = object;
      if (isSame) return;
    }
    this.#queue.add(uid);
  }

  #remove(uid: string): void {
    const gone = this.#known.get(uid);
    if (gone === undefined) return;
    this.#known.delete(uid);
    this.#secrets.want(uid, gone.object.metadata.namespace, []);
    this.#limits.remove(gone.object);
    this.#options.onGone(gone.object);
    if (gone.state !== null) logDeletion(this.#options.log, uid, gone.state);
    this.#emitWhenSettled();
  }

  async #judge(uid: string): Promise<void> {
    const entry = this.#known.get(uid);
    if (entry === undefined) return;
    const { log, metrics, rules } = this.#options;
    const judges = { secrets: this.#secrets, limits: this.#limits, organizations: rules.organizations };
    const judgement = await judgeObject(entry.object, lastGoodOf(entry.state), judges);
    // Deleted meanwhile: its Secrets were given up, and judging has asked for them again.
    if (this.#known.get(uid) !== entry) {
      this.#secrets.want(uid, entry.object.metadata.namespace, []);
      return;
    }
    metrics.countReconcile(judgement.kind);
    if (judgement.kind === 'waiting') return;
    entry.isSettled = true;
    if (judgement.kind === 'judged' && !(entry.state && isSameState(entry.state, judgement.state))) {
      entry.state = judgement.state;
      logState(log, uid, entry.state);
    }
    this.#emitWhenSettled();
  }

  #emitWhenSettled(): void {
    if (!this.#hasSynced) return;
    const isPending = () => [...this.#known.values()].some(({ isSettled }) => !isSettled);
    if (this.#emitter.hasEmitted || !isPending()) this.#emitter.ring();
  }

  #listStates(): ConfigStates {
    const states = new Map<string, ConfigState>();
    for (const [uid, { state }] of this.#known) if (state !== null) states.set(uid, state);
    return states;
  }
}

/** Whether both ask for the same: the generation stands for the spec. */
function isSameRequest(before: KubeObject, now: KubeObject): boolean {
  const [a, b] = [before.metadata, now.metadata];
  return (
    a.generation === b.generation &&
    a.annotations[reconcileAtAnnotation] === b.annotations[reconcileAtAnnotation] &&
    a.annotations[takeOverAnnotation] === b.annotations[takeOverAnnotation] &&
    a.annotations[replayAnnotation] === b.annotations[replayAnnotation] &&
    isBeingDeleted(before) === isBeingDeleted(now)
  );
}
