/**
 * Writes status to the cluster, in the background: latest first, never twice the same.
 *
 *   write → queue → one server-side apply of the status subresource → what the cluster has now
 *
 * Promises:
 *  - Nothing is written that the cluster already has: a restart of the collector writes nothing.
 *  - A config that is created again under the same name never gets the status of its predecessor. The server does not compare
 *    the uid of an apply to the status subresource (1.36), so the apply names the version it was made for; when that has
 *    changed, the object is read and its uid compared, and the same status is sent again at once.
 *  - A failure that may pass is tried again, later each time; a status that the server calls invalid is reported and not
 *    tried again, the next one is.
 *
 * Server-side apply leaves the conditions of others alone.
 */

import type { BackoffLimits } from '../../basics/backoff.ts';
import type { RateLimit } from '../../basics/rateLimit.ts';
import { RetryLater, WorkQueue } from '../../basics/workQueue.ts';
import type { ExportStatus } from '../../model/streamStatus.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type ApiAnswer, type ApiFailure, describeFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { findReady, isSameStatus, readClusterStatus } from './clusterStatus.ts';
import type { CrdCheck } from './crdCheck.ts';
import { type KubeObject, readObject } from './kubeObject.ts';
import { collectionPath, fieldManager, makeApply } from './resource.ts';

export interface StatusWriterOptions {
  readonly api: ApiClient;
  readonly log: Logger;
  readonly limit: RateLimit;
  readonly retry: BackoffLimits;
  /** Called after a write; `told` is the last status before it that said whether the export is ready. */
  readonly onWritten: (object: KubeObject, status: ExportStatus, told: ExportStatus | null) => void;
  readonly countFailure: (code: string) => void;
  readonly crd: Pick<CrdCheck, 'toFitting' | 'suspect'>;
}

interface Entry {
  object: KubeObject;
  status: ExportStatus | null;
  /** The last one whose Ready was not Unknown. */
  told: ExportStatus | null;
  wanted: ExportStatus | null;
}

const concurrency = 8;

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: WorkQueue;
  #isFailing = false;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    const work = (uid: string, signal: AbortSignal) => this.#writeNow(uid, signal);
    this.#queue = new WorkQueue({ concurrency, work, retry: options.retry });
  }

  /** Takes what the cluster says now. */
  observe(object: KubeObject): void {
    const { uid } = object.metadata;
    const entry = this.#entries.get(uid);
    const status = readClusterStatus(object);
    const told = isTold(status) ? status : (entry?.told ?? null);
    if (entry === undefined) this.#entries.set(uid, { object, status, told, wanted: null });
    // The answer to a write may be ahead of the watch.
    else if (isNewer(object, entry.object)) Object.assign(entry, { object, status, told });
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  /** As the cluster has it, or will once what waits is written; null: none yet. */
  latest(uid: string): ExportStatus | null {
    const entry = this.#entries.get(uid);
    return entry?.wanted ?? entry?.status ?? null;
  }

  /** Returns at once: the write follows. Nothing happens for a uid that was not observed. */
  write(uid: string, status: ExportStatus): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    entry.wanted = status;
    this.#queue.add(uid);
  }

  /** Writes what waits, once each, until `signal` aborts; nothing is written after that. */
  async stop(signal: AbortSignal): Promise<void> {
    await this.#queue.stop();
    const waiting = [...this.#entries].filter(([, entry]) => entry.wanted !== null).values();
    const flush = async (): Promise<void> => {
      // One iterator for all: each takes what comes next.
      for (const [uid] of waiting) {
        if (signal.aborted) return;
        // Reported already; whoever takes the stream over writes the next one.
        await this.#writeNow(uid, signal).catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: concurrency }, flush));
  }

  /** @throws RetryLater for what may pass. */
  async #writeNow(uid: string, signal: AbortSignal): Promise<void> {
    const { limit, crd, log, onWritten } = this.#options;
    const entry = this.#entries.get(uid);
    const status = entry?.wanted ?? null;
    if (entry === undefined || status === null) return;
    if (isSameStatus(crd.toFitting(status), entry.status)) {
      entry.wanted = null;
      return;
    }
    await limit.take(signal);
    // Before the write: the watch may bring it back sooner than its answer does.
    const { told } = entry;
    const answer = await this.#applyToLatest(entry, status, signal);
    if (answer.kind === 'aborted') return;
    if (answer.kind !== 'ok') return this.#fail(entry, status, answer);
    const written = readObject(answer.body);
    if (written !== null) this.observe(written);
    if (entry.wanted === status) entry.wanted = null;
    else this.#queue.add(uid);
    if (this.#isFailing) log.info('status can be written again');
    this.#isFailing = false;
    onWritten(entry.object, status, told);
  }

  /** Applies to the version that is known, and once more to the current one when that has changed. */
  async #applyToLatest(entry: Entry, status: ExportStatus, signal: AbortSignal): Promise<ApiAnswer> {
    const { uid } = entry.object.metadata;
    const answer = await this.#apply(entry.object, status, signal);
    if (answer.kind !== 'refused' || answer.code !== 409) return answer;
    const now = await this.#options.api.request({ path: pathOf(entry.object), signal });
    if (now.kind !== 'ok') return now;
    const object = readObject(now.body);
    if (object?.metadata.uid !== uid) return { ...answer, code: 404 };
    this.observe(object);
    return await this.#apply(object, status, signal);
  }

  #apply(object: KubeObject, status: ExportStatus, signal: AbortSignal): Promise<ApiAnswer> {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const metadata = { name, namespace, uid, resourceVersion };
    const fitting = this.#options.crd.toFitting(status);
    const body = makeApply({ metadata, status: fitting });
    const query = { fieldManager, force: 'true' };
    const path = `${pathOf(object)}/status`;
    return this.#options.api.request({ method: 'PATCH', path, query, body, signal });
  }

  /** @throws RetryLater for what may pass. */
  #fail(entry: Entry, status: ExportStatus, failure: ApiFailure): void {
    const { log, crd, countFailure } = this.#options;
    const code = failure.kind === 'refused' ? failure.code : 0;
    const { namespace, name, uid } = entry.object.metadata;
    if (code === 404) {
      if (entry.wanted === status) entry.wanted = null;
      log.debug({ namespace, name, uid, code }, 'the config of a status is gone');
      return;
    }
    countFailure(failure.kind === 'refused' ? String(code) : failure.kind);
    if (failure.kind === 'refused') crd.suspect();
    const fields = { namespace, name, code };
    if (code >= 400 && code < 500 && ![401, 403, 408, 409, 429].includes(code)) {
      if (entry.wanted === status) entry.wanted = null;
      log.error(
        fields,
        `The status of an export was not accepted: ${describeFailure(failure)}. The export runs; check that the CRD is the one of this version.`,
      );
      return;
    }
    if (!this.#isFailing) {
      const right =
        code === 403 ? ` Allow the ServiceAccount the verb patch on auditexportconfigs/status.` : '';
      log.warn(
        fields,
        `Status cannot be written: ${describeFailure(failure)}.${right} Exports run, and the collector keeps trying.`,
      );
    }
    this.#isFailing = true;
    throw new RetryLater('status', failure.kind === 'refused' ? failure.retryAfterMs : null);
  }
}

function pathOf({ metadata }: KubeObject): string {
  return `${collectionPath(metadata.namespace)}/${metadata.name}`;
}

function isTold(status: ExportStatus | null): boolean {
  const ready = findReady(status);
  return ready?.reason === 'NothingSent' || (ready?.status ?? 'Unknown') !== 'Unknown';
}

/** The versions of one object are numbers that grow (since Kubernetes 1.35 by contract, before that in fact). */
function isNewer(a: KubeObject, b: KubeObject): boolean {
  try {
    return BigInt(a.metadata.resourceVersion) >= BigInt(b.metadata.resourceVersion);
  } catch {
    return true;
  }
}
