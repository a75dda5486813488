/**
 * Notices a CustomResourceDefinition that is older than this program, says so, and makes statuses fit it meanwhile.
 *
 *   start, or a refused status → read the published schema → compare → one sentence when it lacks fields, one when no more
 *
 * Needs no right: the schema is part of the API server's OpenAPI, which whoever is authenticated may read.
 */
import type { ExportStatus } from '../../model/streamStatus.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { describeFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { dropMissingFields, findMissingFields, schemaPath } from './crdFields.ts';
import { pause } from './pause.ts';
import { fullResource } from './resource.ts';
import { RetryDelay, type RetryLimits } from './retryDelay.ts';

export interface CrdCheck {
  start(): void;
  /** The status without what the cluster's definition lacks: with it, the whole status would be refused. */
  toFitting(status: ExportStatus): ExportStatus;
  /** The API server refused something: look again, though not at once after the last look. */
  suspect(): void;
  stop(): Promise<void>;
}

export function makeCrdCheck(options: {
  readonly api: Pick<ApiClient, 'request'>;
  readonly log: Logger;
  readonly retry: RetryLimits;
}): CrdCheck {
  const { api, log, retry } = options;
  const stopped = new AbortController();
  let missing: readonly string[] = [];
  let askedAt = Number.NEGATIVE_INFINITY;
  let wake = new AbortController();
  let running = Promise.resolve();

  async function run(): Promise<void> {
    const delay = new RetryDelay(retry);
    while (!stopped.signal.aborted) {
      askedAt = performance.now();
      wake = new AbortController();
      const answer = await api.request({ path: schemaPath, signal: stopped.signal });
      if (answer.kind === 'aborted') return;
      const found = answer.kind === 'ok' ? findMissingFields(answer.body) : null;
      if (found === null) {
        // That there is no such kind, or no API server, is said by whoever follows the manifests.
        const why = answer.kind === 'ok' ? 'it has no such kind yet' : describeFailure(answer);
        log.debug({ why }, 'the schema of the CustomResourceDefinition cannot be read yet');
        await pause(delay.next(), stopped.signal);
        continue;
      }
      say(found);
      missing = found;
      // While it lacks something it will be replaced; once it is whole, only a refusal makes it doubtful.
      if (missing.length > 0) await pause(delay.next(), stopped.signal);
      else await untilAborted(AbortSignal.any([wake.signal, stopped.signal]));
    }
  }

  function say(found: readonly string[]): void {
    if (found.join() === missing.join()) return;
    if (found.length === 0) {
      log.info('the CustomResourceDefinition in the cluster has every field of this version now');
      return;
    }
    log.warn(
      { missing: found },
      `The CustomResourceDefinition ${fullResource} in the cluster is older than this collector: it lacks ${found.join(', ')}. The API server drops such fields from manifests, and statuses are written without them: apply the definition of this version, by the chart or from crds/.`,
    );
  }

  return {
    start() {
      running = run();
    },
    toFitting: (status) => (missing.length === 0 ? status : dropMissingFields(status, missing)),
    suspect() {
      if (performance.now() - askedAt >= retry.maxMs) wake.abort();
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
