/**
 * Tells the story of an export as Events, for `kubectl describe` and `kubectl get events`: one when its Ready condition
 * turns, one when it recovers, never one a batch.
 *
 * The same again within ten minutes counts up the Event that is there. An object gets 25 requests at once and one every
 * five minutes after that, as in client-go: a receiver that comes and goes all day fills nobody's etcd. Events are hints:
 * one that cannot be written is dropped.
 */
import { randomBytes } from 'node:crypto';
import type { Logger } from '../../telemetry/logger.ts';
import { configApiVersion, configKind } from '../schema.ts';
import { describeFailure, isNamespaceEnding } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import type { KubeObject } from './kubeObject.ts';

export interface EventRecorder {
  /** Returns at once. `reason` is the condition's; `message` holds no secret. */
  record(object: KubeObject, event: ExportEvent): void;
  forget(uid: string): void;
  stop(): Promise<void>;
}

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
/** More are dropped: something is very wrong then, and status says what. */
const maxWaiting = 1_000;

export function makeEventRecorder(options: {
  readonly api: Pick<ApiClient, 'request'>;
  readonly log: Logger;
  /** Of this replica: who reports. */
  readonly instance: string;
  readonly now?: () => number;
}): EventRecorder {
  const { api, log, instance, now = Date.now } = options;
  const memories = new Map<string, Memory>();
  const stopped = new AbortController();
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  let isFailing = false;

  function takeToken(uid: string): Memory | null {
    const memory = memories.get(uid) ?? { tokens: burst, refilledAt: now(), series: [] };
    memories.set(uid, memory);
    const refilled = Math.floor((now() - memory.refilledAt) / refillMs);
    memory.tokens = Math.min(burst, memory.tokens + refilled);
    memory.refilledAt += refilled * refillMs;
    if (memory.tokens < 1) return null;
    memory.tokens--;
    return memory;
  }

  async function write(object: KubeObject, event: ExportEvent, memory: Memory): Promise<void> {
    const at = now();
    memory.series = memory.series.filter(({ lastAt }) => at - lastAt < seriesMs);
    const series = memory.series.find(({ reason, message }) => {
      return reason === event.reason && message === event.message;
    });
    if (series !== undefined) {
      series.count++;
      series.lastAt = at;
      const value = { series: { count: series.count, lastObservedTime: toMicroTime(at) } };
      const body = { contentType: 'application/merge-patch+json', value };
      const answer = await api.request({ method: 'PATCH', path: series.path, body, signal: stopped.signal });
      // Gone after an hour, or with its namespace: tell it anew.
      if (answer.kind !== 'refused' || answer.code !== 404) return report(answer);
      memory.series = memory.series.filter((each) => each !== series);
    }
    const { namespace } = object.metadata;
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const value = makeEvent(object, event, instance, at);
    const body = { contentType: 'application/json', value };
    const answer = await api.request({ method: 'POST', path, body, signal: stopped.signal });
    if (answer.kind === 'ok') {
      const { reason, message } = event;
      memory.series.push({ path: `${path}/${value.metadata.name}`, reason, message, count: 1, lastAt: at });
    }
    report(answer);
  }

  function report(answer: Awaited<ReturnType<ApiClient['request']>>): void {
    if (answer.kind === 'aborted') return;
    if (answer.kind === 'ok') {
      isFailing = false;
      return;
    }
    // It goes with all that is in it, its Events too.
    if (isNamespaceEnding(answer)) return;
    if (!isFailing) {
      const hint =
        answer.kind === 'refused' && answer.code === 403
          ? ' Allow the ServiceAccount the verbs create and patch on events.events.k8s.io.'
          : '';
      log.info(`An Event could not be written: ${describeFailure(answer)}.${hint} Status is not affected.`);
    }
    isFailing = true;
  }

  return {
    record(object, event) {
      if (stopped.signal.aborted || waiting >= maxWaiting) return;
      const memory = takeToken(object.metadata.uid);
      if (memory === null) return;
      waiting++;
      last = last
        .then(() => (stopped.signal.aborted ? undefined : write(object, event, memory)))
        .finally(() => waiting--);
    },
    forget: (uid) => void memories.delete(uid),
    async stop() {
      stopped.abort();
      await last;
    },
  };
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
