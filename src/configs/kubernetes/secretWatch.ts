/** One Secret as it stands: read by name, then watched by name. */

import { Secret } from '../../model/secret.ts';
import { type ApiAnswer, type ApiFailure, describeFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { isRecord, type KubeObject, readObject } from './kubeObject.ts';
import type { Snapshot } from './listPages.ts';
import type { RateLimit } from './rateLimit.ts';
import { Reflector, type ReflectorTiming } from './reflector.ts';
import type { RetryLimits } from './retryDelay.ts';

/** What was read last; it stays while it cannot be read. */
export type SecretContent =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'missing' }
  /** By key, base64 as it came. */
  | { readonly kind: 'present'; readonly data: ReadonlyMap<string, Secret> };

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

export function watchSecret(options: SecretWatchOptions): SecretWatch {
  const { api, namespace, name, onChange, readLimit, watchLimit } = options;
  const collection = `/api/v1/namespaces/${namespace}/secrets`;
  let content: SecretContent = { kind: 'unknown' };
  let failure: ApiFailure | null = null;

  async function read(signal: AbortSignal): Promise<ApiAnswer<Snapshot>> {
    await readLimit.take(signal);
    const answer = await api.request({ path: `${collection}/${name}`, signal });
    // Existing or not: the watch begins with it if it has come since.
    if (answer.kind === 'refused' && answer.code === 404) {
      return { kind: 'ok', body: { objects: [], resourceVersion: '' } };
    }
    if (answer.kind !== 'ok') return answer;
    const object = readObject(answer.body);
    if (object === null) return { kind: 'unreachable', message: 'the answer is no Secret' };
    return { kind: 'ok', body: { objects: [object], resourceVersion: object.metadata.resourceVersion } };
  }

  function take(object: KubeObject | null): void {
    content = object === null ? { kind: 'missing' } : { kind: 'present', data: readData(object) };
    onChange();
  }

  const reflector = new Reflector({
    api,
    path: collection,
    query: { fieldSelector: `metadata.name=${name}` },
    list: read,
    streamsInitialState: false,
    waitTurn: (signal) => watchLimit.take(signal),
    onRestart: options.onRestart,
    retry: options.retry,
    timing: options.timing,
    sink: {
      replace: (objects) => take(objects[0] ?? null),
      apply: (type, object) => {
        if (object.metadata.name === name) take(type === 'DELETED' ? null : object);
      },
      onHealth(next) {
        const isNews = (failure && describeFailure(failure)) !== (next && describeFailure(next));
        failure = next;
        if (isNews) onChange();
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

function readData({ raw }: KubeObject): Map<string, Secret> {
  const data = isRecord(raw['data']) ? raw['data'] : {};
  const entries = Object.entries(data).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return new Map(entries.map(([key, value]) => [key, new Secret(value)]));
}
