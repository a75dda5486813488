/**
 * The Secrets that manifests refer to, and no others.
 *
 * Each is read by its name and then watched by its name, as kubelets do it: the role needs the verbs get and watch (which
 * resourceNames may narrow), never list; nothing is asked while nothing changes; and a changed Secret is known in
 * milliseconds. A watch costs a connection and 80 KB: 1,000 Secrets make 1,001 connections and 80 MB. (Asking for 1,000
 * versions every 4 s would be 250 requests a second for ever, each a line in the cluster's audit log; one watch for all
 * would have to be allowed to see every Secret there is.) Where watch is not allowed but get is, a Secret is read again
 * every 30 s.
 *
 * Reads: 200 a second after a burst of 200, so that 1,000 configs have theirs in 4 s. Watches are opened at the same pace
 * behind them: each begins at the version that was read, so nothing is missed before.
 */
import type { Logger } from '../../telemetry/logger.ts';
import type { SecretRead, SecretReader } from '../destination/secretReader.ts';
import { describeFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { decodeSecret, FORBIDDEN_SECRET } from './decodeSecret.ts';
import { makeRateLimit } from './rateLimit.ts';
import type { ReflectorTiming } from './reflector.ts';
import type { RetryLimits } from './retryDelay.ts';
import { type SecretWatch, watchSecret } from './secretWatch.ts';

export interface SecretStore extends SecretReader {
  /** From now on `owner` depends on exactly these; `names` are in `namespace`. */
  want(owner: string, namespace: string, names: readonly string[]): void;
  /**
   * Whether everything that `owner` depends on is known. `waiting`: its owner is reported as soon as there is news.
   * `unavailable`: something could not be read so far, for a reason that passes; it is tried again.
   */
  readiness(owner: string): 'known' | 'waiting' | 'unavailable';
  stop(): Promise<void>;
}

export interface SecretStoreOptions {
  readonly api: ApiClient;
  readonly log: Logger;
  /** Something that `owner` depends on is another than before. */
  readonly onChange: (owner: string) => void;
  readonly onRestart: () => void;
  readonly retry: RetryLimits;
  readonly timing: Partial<ReflectorTiming>;
}

interface Entry {
  readonly namespace: string;
  readonly name: string;
  readonly watch: SecretWatch;
  readonly owners: Set<string>;
  isFailing: boolean;
}

const readsPerSecond = 200;
const watchesPerSecond = 200;

export function makeSecretStore(options: SecretStoreOptions): SecretStore {
  const { api, log, onChange, onRestart, retry, timing } = options;
  /** By `namespace/name`. */
  const entries = new Map<string, Entry>();
  /** Ids of entries by owner. */
  const wanted = new Map<string, ReadonlySet<string>>();
  const stopping = new Set<Promise<void>>();
  const readLimit = makeRateLimit({ perSecond: readsPerSecond, burst: readsPerSecond });
  const watchLimit = makeRateLimit({ perSecond: watchesPerSecond, burst: watchesPerSecond });

  function add(id: string, namespace: string, name: string): Entry {
    const owners = new Set<string>();
    const watch = watchSecret({
      api,
      namespace,
      name,
      readLimit,
      watchLimit,
      onRestart,
      retry,
      timing,
      onChange() {
        report(id);
        for (const owner of owners) onChange(owner);
      },
    });
    const entry = { namespace, name, watch, owners, isFailing: false };
    entries.set(id, entry);
    return entry;
  }

  /** Only where the API server refuses; an outage is one line of the source, not one for each Secret. */
  function report(id: string): void {
    const entry = entries.get(id);
    const failure = entry?.watch.failure ?? null;
    if (entry === undefined || (failure !== null && failure.kind !== 'refused')) return;
    if (entry.isFailing === (failure !== null)) return;
    entry.isFailing = failure !== null;
    const fields = { namespace: entry.namespace, secret: entry.name };
    if (failure === null) log.info(fields, 'the Secret can be read and watched again');
    else {
      log.warn(
        { ...fields, code: failure.code },
        `The Secret cannot be followed: ${describeFailure(failure)}. What was read of it last stays in force; it is tried again.`,
      );
    }
  }

  function drop(id: string): void {
    const entry = entries.get(id);
    entries.delete(id);
    if (entry === undefined) return;
    const end = entry.watch.stop();
    stopping.add(end);
    void end.finally(() => stopping.delete(end));
  }

  return {
    want(owner, namespace, names) {
      const next = new Set(names.map((name) => `${namespace}/${name}`));
      for (const id of wanted.get(owner) ?? []) {
        const owners = entries.get(id)?.owners;
        if (next.has(id) || owners === undefined) continue;
        owners.delete(owner);
        if (owners.size === 0) drop(id);
      }
      for (const name of names) {
        const id = `${namespace}/${name}`;
        (entries.get(id) ?? add(id, namespace, name)).owners.add(owner);
      }
      if (next.size === 0) wanted.delete(owner);
      else wanted.set(owner, next);
    },

    readiness(owner) {
      let isUnavailable = false;
      for (const id of wanted.get(owner) ?? []) {
        const watch = entries.get(id)?.watch;
        if (watch === undefined || watch.content.kind !== 'unknown') continue;
        if (watch.failure === null) return 'waiting';
        if (!isForbidden(watch)) isUnavailable = true;
      }
      return isUnavailable ? 'unavailable' : 'known';
    },

    async read(namespace, name, key) {
      const watch = entries.get(`${namespace}/${name}`)?.watch;
      if (watch === undefined) throw new Error(`Secret ${namespace}/${name} is not followed`);
      return readKey(watch, key);
    },

    async stop() {
      for (const id of [...entries.keys()]) drop(id);
      await Promise.all([...stopping]);
    },
  };
}

function isForbidden({ failure }: SecretWatch): boolean {
  return failure?.kind === 'refused' && failure.code === 403;
}

/** @throws while it is not known, for a reason that passes. */
function readKey(watch: SecretWatch, key: string): SecretRead {
  switch (watch.content.kind) {
    case 'missing':
      return { kind: 'secret-missing' };
    case 'unknown':
      if (!isForbidden(watch)) throw new Error('the Secret has not been read yet');
      return FORBIDDEN_SECRET;
    case 'present': {
      const encoded = watch.content.data.get(key);
      if (encoded === undefined) return { kind: 'key-missing' };
      return decodeSecret(encoded);
    }
  }
}
