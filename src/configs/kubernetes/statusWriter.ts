/**
 * Writes status to the cluster, in the background: latest first, never twice the same.
 *
 *   write → queue → one server-side apply of the status subresource → what the cluster has now
 *
 * Promises:
 *  - Nothing is written that the cluster already has: a restart of the collector writes nothing.
 *  - A config made anew under the same name never gets the status of its predecessor. The server does not compare the uid
 *    of an apply to the status subresource (1.36), so the apply names the version it was made for; when that has changed,
 *    the object is read and its uid compared, and the same status goes again at once.
 *  - A failure that may pass is tried again, later each time; a status that the server calls invalid is reported and not
 *    tried again, the next one is.
 *
 * Server-side apply leaves the conditions of others alone.
 */
import type { ExportStatus } from '../../model/streamStatus.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { configApiVersion, configKind } from '../schema.ts';
import { type ApiAnswer, type ApiFailure, describeFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { findReady, isSameStatus, readClusterStatus } from './clusterStatus.ts';
import { type KubeObject, readObject } from './kubeObject.ts';
import type { RateLimit } from './rateLimit.ts';
import { collectionPath, fieldManager } from './resource.ts';
import type { RetryLimits } from './retryDelay.ts';
import { makeWorkQueue, RetryLater } from './workQueue.ts';

export interface StatusWriter {
  /** What the cluster says now. */
  observe(object: KubeObject): void;
  forget(uid: string): void;
  /** As the cluster has it, or will once what waits is written; null: none yet. */
  latest(uid: string): ExportStatus | null;
  /** Cheap: the write follows. Nothing happens for a uid that was not observed. */
  write(uid: string, status: ExportStatus): void;
  /** Writes what waits, once each, until `signal` aborts; then nothing is written any more. */
  stop(signal: AbortSignal): Promise<void>;
}

export interface StatusWriterOptions {
  readonly api: ApiClient;
  readonly log: Logger;
  readonly limit: RateLimit;
  readonly retry: RetryLimits;
  /** Called after a write; `told` is the last status before it that said whether the export is ready. */
  readonly onWritten: (object: KubeObject, status: ExportStatus, told: ExportStatus | null) => void;
  readonly countFailure: (code: string) => void;
  /** The status as the cluster's definition can hold it. */
  readonly toFitting: (status: ExportStatus) => ExportStatus;
  /** The API server did not take a status. */
  readonly onRefused: () => void;
}

interface Entry {
  object: KubeObject;
  status: ExportStatus | null;
  /** The last one whose Ready was not Unknown. */
  told: ExportStatus | null;
  wanted: ExportStatus | null;
}

const concurrency = 8;

export function makeStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { api, log, limit, retry, onWritten, countFailure, toFitting, onRefused } = options;
  const entries = new Map<string, Entry>();
  let isFailing = false;
  const queue = makeWorkQueue({ concurrency, work: writeNow, retry, onFailure: () => {} });

  function observe(object: KubeObject): void {
    const entry = entries.get(object.metadata.uid);
    const status = readClusterStatus(object);
    const told = isTold(status) ? status : (entry?.told ?? null);
    if (entry === undefined) entries.set(object.metadata.uid, { object, status, told, wanted: null });
    // The answer to a write may be ahead of the watch.
    else if (isNewer(object, entry.object)) Object.assign(entry, { object, status, told });
  }

  async function writeNow(uid: string, signal: AbortSignal): Promise<void> {
    const entry = entries.get(uid);
    const status = entry?.wanted ?? null;
    if (entry === undefined || status === null) return;
    if (isSameStatus(toFitting(status), entry.status)) {
      entry.wanted = null;
      return;
    }
    await limit.take(signal);
    // Before the write: the watch may bring it back sooner than its answer does.
    const { told } = entry;
    let answer = await apply(entry.object, status, signal);
    if (answer.kind === 'refused' && answer.code === 409) {
      const now = await api.request({ path: pathOf(entry.object), signal });
      const object = now.kind === 'ok' ? readObject(now.body) : null;
      if (now.kind !== 'ok') answer = now;
      else if (object?.metadata.uid !== uid) answer = { ...answer, code: 404 };
      else {
        observe(object);
        answer = await apply(object, status, signal);
      }
    }
    if (answer.kind === 'aborted') return;
    if (answer.kind !== 'ok') return fail(entry, status, answer);
    const written = readObject(answer.body);
    if (written !== null) observe(written);
    if (entry.wanted === status) entry.wanted = null;
    else queue.add(uid);
    if (isFailing) log.info('status can be written again');
    isFailing = false;
    onWritten(entry.object, status, told);
  }

  function apply(object: KubeObject, status: ExportStatus, signal: AbortSignal): Promise<ApiAnswer> {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const metadata = { name, namespace, uid, resourceVersion };
    return api.request({
      method: 'PATCH',
      path: `${pathOf(object)}/status`,
      query: { fieldManager: fieldManager, force: 'true' },
      body: {
        contentType: 'application/apply-patch+yaml',
        value: { apiVersion: configApiVersion, kind: configKind, metadata, status: toFitting(status) },
      },
      signal,
    });
  }

  /** @throws RetryLater for what may pass. */
  function fail(entry: Entry, status: ExportStatus, failure: ApiFailure): void {
    const code = failure.kind === 'refused' ? failure.code : 0;
    const { namespace, name, uid } = entry.object.metadata;
    if (code === 404) {
      if (entry.wanted === status) entry.wanted = null;
      log.debug({ namespace, name, uid, code }, 'the config of a status is gone');
      return;
    }
    countFailure(failure.kind === 'refused' ? String(code) : failure.kind);
    if (failure.kind === 'refused') onRefused();
    const fields = { namespace, name, code };
    if (code >= 400 && code < 500 && ![401, 403, 408, 409, 429].includes(code)) {
      if (entry.wanted === status) entry.wanted = null;
      log.error(
        fields,
        `The status of an export was not accepted: ${describeFailure(failure)}. The export runs; check that the CRD is the one of this version.`,
      );
      return;
    }
    if (!isFailing) {
      const right =
        code === 403 ? ` Allow the ServiceAccount the verb patch on auditexportconfigs/status.` : '';
      log.warn(
        fields,
        `Status cannot be written: ${describeFailure(failure)}.${right} Exports run; it is tried again.`,
      );
    }
    isFailing = true;
    throw new RetryLater('status', failure.kind === 'refused' ? failure.retryAfterMs : null);
  }

  return {
    observe,
    forget: (uid) => void entries.delete(uid),
    latest: (uid) => entries.get(uid)?.wanted ?? entries.get(uid)?.status ?? null,
    write(uid, status) {
      const entry = entries.get(uid);
      if (entry === undefined) return;
      entry.wanted = status;
      queue.add(uid);
    },
    async stop(signal) {
      await queue.stop();
      const waiting = [...entries].filter(([, entry]) => entry.wanted !== null).values();
      const flush = async (): Promise<void> => {
        // One iterator for all: each takes what comes next.
        for (const [uid] of waiting) {
          if (signal.aborted) return;
          // Said already; whoever takes the stream over writes the next one.
          await writeNow(uid, signal).catch(() => {});
        }
      };
      await Promise.all(Array.from({ length: concurrency }, flush));
    },
  };
}

function pathOf({ metadata }: KubeObject): string {
  return `${collectionPath(metadata.namespace)}/${metadata.name}`;
}

function isTold(status: ExportStatus | null): boolean {
  return (findReady(status)?.status ?? 'Unknown') !== 'Unknown';
}

/** Of one object versions are numbers that grow (since Kubernetes 1.35 by contract, before that in fact). */
function isNewer(a: KubeObject, b: KubeObject): boolean {
  try {
    return BigInt(a.metadata.resourceVersion) >= BigInt(b.metadata.resourceVersion);
  } catch {
    return true;
  }
}
