/**
 * The Secrets of one namespace that manifests refer to, and no others.
 *
 *   one watch of the metadata of all → a wanted one has another version → read by its name
 *
 * So a namespace costs one connection, whatever the number of names that people write into configs; a missing Secret costs
 * nothing, and is there as soon as somebody makes it; and what other Secrets hold never comes here. Where that watch is not
 * allowed (a role narrowed by resourceNames), each is followed by its name (secretWatch.ts) until it is.
 */
import { type ApiFailure, describeFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { listPages } from './listPages.ts';
import type { RateLimit } from './rateLimit.ts';
import { Reflector, type ReflectorTiming } from './reflector.ts';
import { secretsPath } from './resource.ts';
import type { RetryLimits } from './retryDelay.ts';
import { readPresentSecret, type SecretContent } from './secretContent.ts';
import { type SecretWatch, watchSecret } from './secretWatch.ts';
import { makeWorkQueue, RetryLater } from './workQueue.ts';

export interface NamespaceSecrets {
  follow(name: string, onChange: () => void): void;
  /** How many are still followed. */
  unfollow(name: string): number;
  /** Of one that is followed. */
  find(name: string): Pick<SecretWatch, 'content' | 'failure'> | undefined;
  stop(): Promise<void>;
}

export interface NamespaceSecretsOptions {
  readonly api: ApiClient;
  readonly namespace: string;
  readonly readLimit: RateLimit;
  readonly watchLimit: RateLimit;
  readonly onRestart: () => void;
  readonly retry: RetryLimits;
  readonly timing: Partial<ReflectorTiming>;
}

interface Followed {
  readonly onChange: () => void;
  content: SecretContent;
  failure: ApiFailure | null;
  /** Of the content. */
  version: string | null;
  byName: SecretWatch | null;
}

const readsAtOnce = 8;

export function makeNamespaceSecrets(options: NamespaceSecretsOptions): NamespaceSecrets {
  const { api, namespace, readLimit, watchLimit, retry, timing } = options;
  const path = secretsPath(namespace);
  const followed = new Map<string, Followed>();
  const ending = new Set<Promise<void>>();
  /** Of every Secret there is, by name. */
  const versions = new Map<string, string>();
  let mode: 'unknown' | 'together' | 'by-name' = 'unknown';
  /** Of the common watch. */
  let failure: ApiFailure | null = null;

  const reads = makeWorkQueue({ concurrency: readsAtOnce, work: read, retry, onFailure: () => {} });

  async function read(name: string, signal: AbortSignal): Promise<void> {
    if (!needsRead(name)) return;
    await readLimit.take(signal);
    const answer = await api.request({ path: `${path}/${name}`, signal });
    const secret = followed.get(name);
    if (secret === undefined || mode !== 'together' || answer.kind === 'aborted') return;
    if (answer.kind === 'ok') {
      const present = readPresentSecret(answer.body);
      if (present === null) throw new RetryLater('no Secret', null);
      const version = (answer.body as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
      Object.assign(secret, { content: { kind: 'present', ...present }, failure: null, version });
      secret.onChange();
    } else if (answer.kind === 'refused' && answer.code === 404) {
      // Deleted since: the watch says so as well.
      take(secret, { kind: 'missing' });
    } else {
      setFailure(secret, answer);
      throw new RetryLater('a Secret', answer.kind === 'refused' ? answer.retryAfterMs : null);
    }
  }

  function needsRead(name: string): boolean {
    const version = versions.get(name);
    const secret = followed.get(name);
    return mode === 'together' && secret !== undefined && version !== undefined && secret.version !== version;
  }

  function take(secret: Followed, content: SecretContent): void {
    const isNews = secret.content.kind !== content.kind || secret.failure !== null;
    Object.assign(secret, { content, failure: null, version: null });
    if (isNews) secret.onChange();
  }

  function setFailure(secret: Followed, next: ApiFailure | null): void {
    const isNews = (secret.failure && describeFailure(secret.failure)) !== (next && describeFailure(next));
    secret.failure = next;
    if (isNews) secret.onChange();
  }

  function update(name: string, secret: Followed): void {
    if (mode === 'by-name') secret.byName ??= watch(name, secret);
    else if (mode === 'unknown') setFailure(secret, failure);
    else if (!versions.has(name)) take(secret, { kind: 'missing' });
    else if (needsRead(name)) reads.add(name);
  }

  function watch(name: string, secret: Followed): SecretWatch {
    const { onChange } = secret;
    return watchSecret({ ...options, name, readLimit, watchLimit, onChange });
  }

  function endWatch(secret: Followed): void {
    const { byName } = secret;
    if (byName === null) return;
    // What it knew stays until it is read again.
    Object.assign(secret, { ...viewOf(secret), version: null, byName: null });
    const end = byName.stop();
    ending.add(end);
    void end.finally(() => ending.delete(end));
  }

  function setMode(next: 'together' | 'by-name'): void {
    if (next === 'together') for (const secret of followed.values()) endWatch(secret);
    mode = next;
    for (const [name, secret] of followed) update(name, secret);
  }

  const reflector = new Reflector({
    api,
    path,
    metadataOnly: true,
    list: (signal) => listPages(api, path, signal, { metadataOnly: true }),
    streamsInitialState: true,
    isBypassable: true,
    waitTurn: (signal) => watchLimit.take(signal),
    onRestart: options.onRestart,
    retry,
    timing,
    sink: {
      replace(objects) {
        versions.clear();
        for (const { metadata } of objects) versions.set(metadata.name, metadata.resourceVersion);
        setMode('together');
      },
      apply(type, { metadata: { name, resourceVersion } }) {
        if (type === 'DELETED') versions.delete(name);
        else versions.set(name, resourceVersion);
        const secret = followed.get(name);
        if (secret !== undefined && mode === 'together') update(name, secret);
      },
      onHealth(next) {
        failure = next;
        if (next?.kind === 'refused' && next.code === 403) setMode('by-name');
        else if (mode !== 'by-name') {
          for (const [name, secret] of followed) {
            if (next !== null) setFailure(secret, next);
            // One that could not be read for a reason of its own is tried again by itself.
            else if (!needsRead(name)) setFailure(secret, null);
          }
        }
      },
    },
  });
  reflector.start();

  return {
    follow(name, onChange) {
      if (followed.has(name)) return;
      const secret: Followed = {
        onChange,
        content: { kind: 'unknown' },
        failure: null,
        version: null,
        byName: null,
      };
      followed.set(name, secret);
      update(name, secret);
    },
    unfollow(name) {
      const secret = followed.get(name);
      if (secret !== undefined) endWatch(secret);
      followed.delete(name);
      return followed.size;
    },
    find(name) {
      const secret = followed.get(name);
      return secret === undefined ? undefined : viewOf(secret);
    },
    async stop() {
      for (const secret of followed.values()) endWatch(secret);
      await reflector.stop();
      await reads.stop();
      await Promise.all([...ending]);
    },
  };
}

/** What was read last stays, whichever way it was read. */
function viewOf({ content, failure, byName }: Followed): Pick<SecretWatch, 'content' | 'failure'> {
  if (byName === null) return { content, failure };
  return { content: byName.content.kind === 'unknown' ? content : byName.content, failure: byName.failure };
}
