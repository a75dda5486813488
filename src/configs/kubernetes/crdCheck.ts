/**
 * Notices a CustomResourceDefinition that is older than this program, says so, and makes statuses fit it meanwhile.
 *
 *   start, or a refused status → read the published schema → compare → one sentence when fields are missing, one when none is
 *
 * It needs no permission: the schema is part of the API server's OpenAPI, which every authenticated client may read.
 */
import { Backoff, type BackoffLimits } from '../../basics/backoff.ts';
import { Bell, pause } from '../../basics/wait.ts';
import type { ExportStatus } from '../../model/streamStatus.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { describeFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { dropMissingFields, findMissingFields, schemaPath } from './crdFields.ts';
import { fullResource } from './resource.ts';

export interface CrdCheckOptions {
  readonly api: Pick<ApiClient, 'request'>;
  readonly log: Logger;
  readonly retry: BackoffLimits;
}

export class CrdCheck {
  readonly #options: CrdCheckOptions;
  readonly #stopped = new AbortController();
  readonly #doubt = new Bell();
  #missing: readonly string[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  #running = Promise.resolve();

  constructor(options: CrdCheckOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** The status without what the cluster's definition lacks: with it, the API server would refuse the whole status. */
  toFitting(status: ExportStatus): ExportStatus {
    return this.#missing.length === 0 ? status : dropMissingFields(status, this.#missing);
  }

  /** The API server refused something: look again, though not right after the last look. */
  suspect(): void {
    if (performance.now() - this.#askedAt >= this.#options.retry.maxMs) this.#doubt.ring();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { api, log, retry } = this.#options;
    const { signal } = this.#stopped;
    const backoff = new Backoff(retry);
    while (!signal.aborted) {
      this.#askedAt = performance.now();
      const answer = await api.request({ path: schemaPath, signal });
      if (answer.kind === 'aborted') return;
      const found = answer.kind === 'ok' ? findMissingFields(answer.body) : null;
      if (found === null) {
        // Whoever follows the manifests says that there is no such kind, or no API server.
        const why = answer.kind === 'ok' ? 'it has no such kind yet' : describeFailure(answer);
        log.debug({ why }, 'the schema of the CustomResourceDefinition cannot be read yet');
      } else this.#take(found);
      // A definition that lacks something will be replaced; once it is complete, only a refusal makes it doubtful.
      if (found?.length === 0) await this.#doubt.wait(Number.POSITIVE_INFINITY, signal);
      else await pause(backoff.next(), signal);
    }
  }

  #take(found: readonly string[]): void {
    const isSame = found.join() === this.#missing.join();
    this.#missing = found;
    if (isSame) return;
    const { log } = this.#options;
    if (found.length === 0) {
      log.info('the CustomResourceDefinition in the cluster has every field of this version now');
      return;
    }
    log.warn(
      { missing: found },
      `The CustomResourceDefinition ${fullResource} in the cluster is older than this collector: it lacks ${found.join(', ')}. The API server drops such fields from manifests, and statuses are written without them: apply the definition of this version, by the chart or from crds/.`,
    );
  }
}
