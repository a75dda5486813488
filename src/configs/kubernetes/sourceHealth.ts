/** Says once, in one sentence, when the cluster cannot be read, and once when it can again. */
import type { Logger } from '../../telemetry/logger.ts';
import { configApiVersion, configKind } from '../schema.ts';
import type { ApiFailure } from './apiAnswer.ts';
import { fullResource } from './resource.ts';

export interface SourceHealthOptions {
  readonly log: Logger;
  readonly server: string;
  readonly namespace: string | null;
  readonly onChange: (isFollowing: boolean) => void;
}

export class SourceHealth {
  readonly #options: SourceHealthOptions;
  /** What was said last; null: that all is well, or nothing yet. */
  #said: string | null = null;
  #isFollowing = false;

  constructor(options: SourceHealthOptions) {
    this.#options = options;
  }

  /** Whether manifests are followed now. */
  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  report(failure: ApiFailure | null): void {
    if (failure?.kind === 'aborted') return;
    const { log, onChange } = this.#options;
    const key = failure === null ? null : keyOf(failure);
    const isNews = key !== this.#said;
    if (isNews) this.#say(failure);
    else if (failure !== null) log.debug({ failure }, 'the cluster still cannot be read');
    if (!isNews && (failure !== null || this.#isFollowing)) return;
    this.#said = key;
    this.#isFollowing = failure === null;
    onChange(this.#isFollowing);
  }

  #say(failure: ApiFailure | null): void {
    const { log, server, namespace } = this.#options;
    if (failure === null) log.info({ server }, 'the cluster can be read again');
    else {
      const fields = { server, ...(failure.kind === 'refused' ? { code: failure.code } : {}) };
      const sentence = describe(failure, server, namespace);
      log.error(fields, `${sentence} The collector keeps trying, and exports keep running as they are.`);
    }
  }
}

/** A server that goes down and comes up again refuses, resets and answers 429 and 503 in turn: that is one story. */
function keyOf(failure: ApiFailure): string {
  const isRefusal = failure.kind === 'refused' && failure.code < 500 && failure.code !== 429;
  return isRefusal ? `refused ${failure.code}` : 'unavailable';
}

function describe(failure: ApiFailure, server: string, namespace: string | null): string {
  if (failure.kind === 'aborted') return 'The collector is stopping.';
  if (failure.kind === 'unreachable') {
    return `The Kubernetes API server at ${server} cannot be used: ${failure.message}.`;
  }
  const { code, message } = failure;
  const scope = namespace === null ? 'in all namespaces' : `in namespace ${namespace}`;
  switch (code) {
    case 401:
      return `The Kubernetes API server at ${server} does not accept the credentials of the collector (401): check the ServiceAccount token or the kubeconfig.`;
    case 403:
      return `The collector may not read ${fullResource} ${scope}: bind its ServiceAccount to a role with the verbs get, list and watch on them (the API server says: ${message}).`;
    case 404:
      return `The cluster does not know ${configKind} (${configApiVersion}): install its CRD, by the chart or from crds/.`;
    default:
      return `The Kubernetes API server at ${server} answered ${code}: ${message}.`;
  }
}
