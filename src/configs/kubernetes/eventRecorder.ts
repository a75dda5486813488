/**
 * Writes Events about an export, for `kubectl describe` and `kubectl get events`: one when its Ready condition changes, one
 * when it recovers, never one a batch.
 *
 * A repeat within ten minutes increases the count of the Event that is there. An object gets 25 requests at once and one
 * every five minutes after that, as in client-go: a receiver that comes and goes all day fills nobody's etcd. Events are
 * hints: one that cannot be written is dropped.
 */
import { randomBytes } from 'node:crypto';
import type { Remark } from '../../model/exportConfig.ts';
import type { ExportStatus } from '../../model/streamStatus.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { configApiVersion, configKind } from '../schema.ts';
import { type ApiAnswer, describeFailure, isNamespaceEnding } from './apiAnswer.ts';
import type { ApiClient, ApiRequest } from './apiClient.ts';
import { findReady } from './clusterStatus.ts';
import type { KubeObject } from './kubeObject.ts';

export interface ExportEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

interface Series {
  readonly path: string;
  readonly reason: string;
  readonly message: string;
  count: number;
  lastAt: number;
}

interface Memory {
  tokens: number;
  refilledAt: number;
  series: Series[];
}

const burst = 25;
const refillMs = 300_000;
const seriesMs = 600_000;
/** Limits of events.k8s.io/v1 and of object names. */
const maxNoteLength = 1_024;
const maxNameLength = 253;
/** Events beyond it are dropped: something is very wrong then, and status says what. */
const maxWaiting = 1_000;

export interface EventRecorderOptions {
  readonly api: Pick<ApiClient, 'request'>;
  readonly log: Logger;
  /** Name of this replica, as the reporter. */
  readonly instance: string;
  readonly now?: () => number;
}

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #now: () => number;
  readonly #memories = new Map<string, Memory>();
  readonly #stopped = new AbortController();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isFailing = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Returns at once. `reason` is the condition's; `message` holds no secret. */
  record(object: KubeObject, event: ExportEvent): void {
    if (this.#stopped.signal.aborted || this.#waiting >= maxWaiting) return;
    const memory = this.#takeToken(object.metadata.uid);
    if (memory === null) return;
    this.#waiting++;
    this.#last = this.#last
      .then(() => (this.#stopped.signal.aborted ? undefined : this.#write(object, event, memory)))
      .finally(() => this.#waiting--);
  }

  forget(uid: string): void {
    this.#memories.delete(uid);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#last;
  }

  /** null: the object has used up its requests. */
  #takeToken(uid: string): Memory | null {
    const now = this.#now();
    const memory = this.#memories.get(uid) ?? { tokens: burst, refilledAt: now, series: [] };
    this.#memories.set(uid, memory);
    const refilled = Math.floor((now - memory.refilledAt) / refillMs);
    memory.tokens = Math.min(burst, memory.tokens + refilled);
    memory.refilledAt += refilled * refillMs;
    if (memory.tokens < 1) return null;
    memory.tokens--;
    return memory;
  }

  async #write(object: KubeObject, event: ExportEvent, memory: Memory): Promise<void> {
    const at = this.#now();
    memory.series = memory.series.filter(({ lastAt }) => at - lastAt < seriesMs);
    const series = memory.series.find(({ reason, message }) => {
      return reason === event.reason && message === event.message;
    });
    if (series !== undefined) {
      series.count++;
      series.lastAt = at;
      const value = { series: { count: series.count, lastObservedTime: toMicroTime(at) } };
      const body = { contentType: 'application/merge-patch+json', value };
      const answer = await this.#send({ method: 'PATCH', path: series.path, body });
      // Gone after an hour, or with its namespace: write a new one.
      if (answer.kind !== 'refused' || answer.code !== 404) return this.#report(answer);
      memory.series = memory.series.filter((each) => each !== series);
    }
    const { namespace } = object.metadata;
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const value = makeEvent(object, event, this.#options.instance, at);
    const body = { contentType: 'application/json', value };
    const answer = await this.#send({ method: 'POST', path, body });
    if (answer.kind === 'ok') {
      const { reason, message } = event;
      memory.series.push({ path: `${path}/${value.metadata.name}`, reason, message, count: 1, lastAt: at });
    }
    this.#report(answer);
  }

  #send(request: Omit<ApiRequest, 'signal'>): Promise<ApiAnswer> {
    return this.#options.api.request({ ...request, signal: this.#stopped.signal });
  }

  #report(answer: ApiAnswer): void {
    // A namespace that ends goes with all that is in it, its Events too.
    if (answer.kind === 'aborted' || (answer.kind !== 'ok' && isNamespaceEnding(answer))) return;
    const wasFailing = this.#isFailing;
    this.#isFailing = answer.kind !== 'ok';
    if (answer.kind === 'ok' || wasFailing) return;
    const isForbidden = answer.kind === 'refused' && answer.code === 403;
    const right = ' Allow the ServiceAccount the verbs create and patch on events.events.k8s.io.';
    this.#options.log.info(
      `An Event could not be written: ${describeFailure(answer)}.${isForbidden ? right : ''} Status is not affected.`,
    );
  }
}

function makeEvent({ metadata }: KubeObject, event: ExportEvent, instance: string, at: number) {
  const { namespace, name, uid } = metadata;
  const suffix = `.${randomBytes(8).toString('hex')}`;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    // The server does not take a generateName that ends in a dot here.
    metadata: { namespace, name: `${name.slice(0, maxNameLength - suffix.length)}${suffix}` },
    eventTime: toMicroTime(at),
    reportingController: `${configApiVersion.split('/')[0]}/audit-export`,
    reportingInstance: instance.slice(0, 128),
    action: 'Export',
    type: event.type,
    reason: event.reason,
    note: event.message.slice(0, maxNoteLength),
    regarding: { apiVersion: configApiVersion, kind: configKind, namespace, name, uid },
  };
}

function toMicroTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}

/**
 * Empty: nothing has changed. Unknown is skipped, before and after: a start or a hand-over to another replica is not an event.
 * `before` is the last status that said whether the export is ready; `remarks` are those of the config in force.
 */
export function findEvents(
  status: ExportStatus,
  before: ExportStatus | null,
  remarks: readonly Remark[] = [],
): ExportEvent[] {
  const ready = findReady(status);
  const readyBefore = findReady(before);
  if (ready === null || (ready.status === 'Unknown' && ready.reason !== 'NothingSent')) return [];
  const isFine = ready.status === 'True' || ready.reason === 'Suspended';
  const isTurned = readyBefore?.status !== ready.status || readyBefore.reason !== ready.reason;
  const warnings = remarks
    .filter(({ message }) => ready.message.includes(message) && !readyBefore?.message.includes(message))
    .map(({ reason, message }) => ({ type: 'Warning' as const, reason, message }));
  const { reason, message } = ready;
  const turn = { type: isFine ? 'Normal' : 'Warning', reason, message } as const;
  return isTurned && ready.status !== 'Unknown' ? [turn, ...warnings] : warnings;
}
