/**
 * One Secret by its name alone, where nobody may watch the Secrets of the namespace: read, and then watched as kubelets do it,
 * so that the role needs the verbs get and watch, which resourceNames may narrow. One that is missing is asked for again, ever
 * more slowly: a watch for each name that somebody may write into a config would be a connection for each.
 */
import { type ApiAnswer, type ApiFailure, describeFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { type KubeObject, readObject } from './kubeObject.ts';
import type { Snapshot } from './listPages.ts';
import type { RateLimit } from './rateLimit.ts';
import { Reflector, type ReflectorTiming } from './reflector.ts';
import { secretsPath } from './resource.ts';
import type { RetryLimits } from './retryDelay.ts';
import { type SecretContent, toPresentSecret } from './secretContent.ts';

export interface SecretWatch {
  readonly content: SecretContent;
  /** Why it cannot be read now; null: it can, or nobody has tried yet. */
  readonly failure: ApiFailure | null;
  stop(): Promise<void>;
}

export interface SecretWatchOptions {
  readonly api: ApiClient;
  readonly namespace: string;
  readonly name: string;
  /** The content, or whether it can be read, is another one. */
  readonly onChange: () => void;
  readonly readLimit: RateLimit;
  readonly watchLimit: RateLimit;
  readonly onRestart: () => void;
  readonly retry: RetryLimits;
  readonly timing: Partial<ReflectorTiming>;
}

/** Of a missing one: about 3 s at first, by the common settings. */
const missingFactor = 4;
const missingMaxMs = 300_000;

export function watchSecret(options: SecretWatchOptions): SecretWatch {
  const { api, namespace, name, onChange, readLimit, watchLimit, retry } = options;
  let content: SecretContent = { kind: 'unknown' };
  let failure: ApiFailure | null = null;
  /** Times in a row that it was not there. */
  let misses = 0;

  async function read(signal: AbortSignal): Promise<ApiAnswer<Snapshot>> {
    await readLimit.take(signal);
    const answer = await api.request({ path: `${secretsPath(namespace)}/${name}`, signal });
    if (isMissing(answer)) {
      const waitMs = missingFactor * retry.initialMs * 2 ** Math.min(misses++, 20);
      return { ...answer, retryAfterMs: Math.min(waitMs, missingMaxMs) };
    }
    if (answer.kind !== 'ok') return answer;
    const object = readObject(answer.body);
    if (object === null) return { kind: 'unreachable', message: 'the answer is no Secret' };
    misses = 0;
    return { kind: 'ok', body: { objects: [object], resourceVersion: object.metadata.resourceVersion } };
  }

  function take(object: KubeObject | null): void {
    content = object === null ? { kind: 'missing' } : { kind: 'present', ...toPresentSecret(object) };
    onChange();
  }

  const reflector = new Reflector({
    api,
    path: secretsPath(namespace),
    query: { fieldSelector: `metadata.name=${name}` },
    list: read,
    streamsInitialState: false,
    waitTurn: (signal) => watchLimit.take(signal),
    onRestart: options.onRestart,
    retry,
    timing: options.timing,
    sink: {
      replace: (objects) => take(objects[0] ?? null),
      apply: (type, object) => {
        if (object.metadata.name === name) take(type === 'DELETED' ? null : object);
      },
      onHealth(next) {
        // Not there is an answer as good as any.
        const isGone = next !== null && isMissing(next);
        if (isGone && content.kind !== 'missing') content = { kind: 'missing' };
        else if (isGone || describe(failure) === describe(next)) return;
        failure = isGone ? null : next;
        onChange();
      },
    },
  });
  reflector.start();
  return {
    get content() {
      return content;
    },
    get failure() {
      return failure;
    },
    stop: () => reflector.stop(),
  };
}

function isMissing(answer: ApiAnswer): answer is ApiFailure & { readonly kind: 'refused' } {
  return answer.kind === 'refused' && answer.code === 404;
}

function describe(failure: ApiFailure | null): string | null {
  return failure && describeFailure(failure);
}
