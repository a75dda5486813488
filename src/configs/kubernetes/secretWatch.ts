/**
 * Follows one Secret by its name alone, where the collector may not watch all Secrets of the namespace: it is read, and then
 * watched as kubelets do it, so that the role needs the verbs get and watch, which resourceNames may narrow. A missing one is
 * asked for again, more and more slowly: a watch for each name that people write into configs would be a connection for each.
 */

import type { BackoffLimits } from '../../basics/backoff.ts';
import type { RateLimit } from '../../basics/rateLimit.ts';
import { type ApiAnswer, type ApiFailure, isSameFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { type KubeObject, readObject } from './kubeObject.ts';
import type { Snapshot } from './listPages.ts';
import { Reflector, type ReflectorTiming } from './reflector.ts';
import { secretsPath } from './resource.ts';
import { type SecretContent, toPresentSecret } from './secretContent.ts';

/** What following the Secrets of a namespace takes, together or one by one. */
export interface NamespaceSecretsOptions {
  readonly api: ApiClient;
  readonly namespace: string;
  readonly readLimit: RateLimit;
  readonly watchLimit: RateLimit;
  readonly onRestart: () => void;
  readonly retry: BackoffLimits;
  readonly timing: Partial<ReflectorTiming>;
}

interface SecretWatchOptions extends NamespaceSecretsOptions {
  readonly name: string;
  /** The content, or whether it can be read, has changed. */
  readonly onChange: () => void;
}

/** A missing Secret is asked for again after about 3 s at first, with the default back-off. */
const missingFactor = 4;
const missingMaxMs = 300_000;

export class SecretWatch {
  readonly #options: SecretWatchOptions;
  readonly #reflector: Reflector;
  #content: SecretContent = { kind: 'unknown' };
  #failure: ApiFailure | null = null;
  /** Times in a row that it was not there. */
  #misses = 0;

  constructor(options: SecretWatchOptions) {
    const { api, namespace, name, watchLimit, onRestart, retry, timing } = options;
    this.#options = options;
    this.#reflector = new Reflector({
      api,
      path: secretsPath(namespace),
      query: { fieldSelector: `metadata.name=${name}` },
      list: (signal) => this.#read(signal),
      streamsInitialState: false,
      waitTurn: (signal) => watchLimit.take(signal),
      onRestart,
      retry,
      timing,
      sink: {
        replace: (objects) => this.#take(objects[0] ?? null),
        apply: (type, object) => {
          if (object.metadata.name === name) this.#take(type === 'DELETED' ? null : object);
        },
        onHealth: (failure) => this.#takeHealth(failure),
      },
    });
    this.#reflector.start();
  }

  get content(): SecretContent {
    return this.#content;
  }

  /** Why it cannot be read now; null: it can, or nobody has tried yet. */
  get failure(): ApiFailure | null {
    return this.#failure;
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  async #read(signal: AbortSignal): Promise<ApiAnswer<Snapshot>> {
    const { api, namespace, name, readLimit, retry } = this.#options;
    await readLimit.take(signal);
    const answer = await api.request({ path: `${secretsPath(namespace)}/${name}`, signal });
    if (isMissing(answer)) {
      const waitMs = missingFactor * retry.initialMs * 2 ** Math.min(this.#misses++, 20);
      return { ...answer, retryAfterMs: Math.min(waitMs, missingMaxMs) };
    }
    if (answer.kind !== 'ok') return answer;
    const object = readObject(answer.body);
    if (object === null) return { kind: 'unreachable', message: 'the answer is not a Secret' };
    this.#misses = 0;
    return { kind: 'ok', body: { objects: [object], resourceVersion: object.metadata.resourceVersion } };
  }

  #take(object: KubeObject | null): void {
    this.#content = object === null ? { kind: 'missing' } : { kind: 'present', ...toPresentSecret(object) };
    this.#options.onChange();
  }

  #takeHealth(next: ApiFailure | null): void {
    // That it does not exist is as good an answer as any.
    const isGone = next !== null && isMissing(next);
    if (isGone && this.#content.kind !== 'missing') this.#content = { kind: 'missing' };
    else if (isGone || isSameFailure(this.#failure, next)) return;
    this.#failure = isGone ? null : next;
    this.#options.onChange();
  }
}

function isMissing(answer: ApiAnswer): answer is ApiFailure & { readonly kind: 'refused' } {
  return answer.kind === 'refused' && answer.code === 404;
}
