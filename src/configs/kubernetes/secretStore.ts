/**
 * The Secrets that manifests refer to: who depends on which, and what a key of one is for an export.
 *
 * How they are followed is in namespaceSecrets.ts. Reads: 200 a second after a burst of 200, so that 1,000 configs have theirs in
 * 5 s.
 */
import type { Logger } from '../../telemetry/logger.ts';
import type { SecretRead, SecretReader } from '../destination/secretReader.ts';
import { describeFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { forbiddenSecret } from './decodeSecret.ts';
import { makeNamespaceSecrets, type NamespaceSecrets } from './namespaceSecrets.ts';
import { makeRateLimit } from './rateLimit.ts';
import type { ReflectorTiming } from './reflector.ts';
import type { RetryLimits } from './retryDelay.ts';
import { isOwnSecret, ownSecretMessage, type SecretPolicy } from './secretConsent.ts';
import { readSecretKey } from './secretContent.ts';
import type { SecretWatch } from './secretWatch.ts';

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
  readonly policy: SecretPolicy;
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
  readonly owners: Set<string>;
  isFailing: boolean;
  readonly followedAt: number;
}

/** A Secret often comes a moment after the config that names it: until then it is not called missing. */
const companyMs = 1_000;

const readsPerSecond = 200;
const watchesPerSecond = 200;

export function makeSecretStore(options: SecretStoreOptions): SecretStore {
  const { api, policy, log, onChange, onRestart, retry, timing } = options;
  /** By `namespace/name`. */
  const entries = new Map<string, Entry>();
  /** Ids of entries by owner. */
  const wanted = new Map<string, ReadonlySet<string>>();
  const namespaces = new Map<string, NamespaceSecrets>();
  const stopping = new Set<Promise<void>>();
  const readLimit = makeRateLimit({ perSecond: readsPerSecond, burst: readsPerSecond });
  const watchLimit = makeRateLimit({ perSecond: watchesPerSecond, burst: watchesPerSecond });

  function add(id: string, namespace: string, name: string): Entry {
    const owners = new Set<string>();
    const entry = { namespace, name, owners, isFailing: false, followedAt: performance.now() };
    entries.set(id, entry);
    setTimeout(() => {
      if (entries.get(id) === entry) for (const owner of owners) onChange(owner);
    }, companyMs).unref();
    const secrets =
      namespaces.get(namespace) ??
      makeNamespaceSecrets({ api, namespace, readLimit, watchLimit, onRestart, retry, timing });
    namespaces.set(namespace, secrets);
    secrets.follow(name, () => {
      report(id);
      for (const owner of owners) onChange(owner);
    });
    return entry;
  }

  function find({ namespace, name }: Entry): Read | undefined {
    return namespaces.get(namespace)?.find(name);
  }

  /** Only where the API server refuses; an outage is one line of the source, not one for each Secret. */
  function report(id: string): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    const failure = find(entry)?.failure ?? null;
    if (failure !== null && failure.kind !== 'refused') return;
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
    const secrets = namespaces.get(entry.namespace);
    if (secrets === undefined || secrets.unfollow(entry.name) > 0) return;
    namespaces.delete(entry.namespace);
    const end = secrets.stop();
    stopping.add(end);
    void end.finally(() => stopping.delete(end));
  }

  return {
    want(owner, namespace, names) {
      const others = names.filter((name) => !isOwnSecret(policy, namespace, name));
      const next = new Set(others.map((name) => `${namespace}/${name}`));
      for (const id of wanted.get(owner) ?? []) {
        const owners = entries.get(id)?.owners;
        if (next.has(id) || owners === undefined) continue;
        owners.delete(owner);
        if (owners.size === 0) drop(id);
      }
      for (const name of others) {
        const id = `${namespace}/${name}`;
        (entries.get(id) ?? add(id, namespace, name)).owners.add(owner);
      }
      if (next.size === 0) wanted.delete(owner);
      else wanted.set(owner, next);
    },

    readiness(owner) {
      let isUnavailable = false;
      for (const id of wanted.get(owner) ?? []) {
        const entry = entries.get(id);
        const watch = entry && find(entry);
        if (entry === undefined || watch === undefined || watch.content.kind === 'present') continue;
        if (watch.content.kind === 'missing') {
          if (performance.now() - entry.followedAt < companyMs) return 'waiting';
          continue;
        }
        if (watch.failure === null) return 'waiting';
        if (!isForbidden(watch)) isUnavailable = true;
      }
      return isUnavailable ? 'unavailable' : 'known';
    },

    async read(namespace, name, key, endpoint, config) {
      if (isOwnSecret(policy, namespace, name)) return { kind: 'refused', message: ownSecretMessage };
      const entry = entries.get(`${namespace}/${name}`);
      const watch = entry && find(entry);
      if (watch === undefined) throw new Error(`Secret ${namespace}/${name} is not followed`);
      return readKey(watch, key, endpoint, policy, config);
    },

    async stop() {
      for (const id of [...entries.keys()]) drop(id);
      await Promise.all([...stopping]);
    },
  };
}

type Read = Pick<SecretWatch, 'content' | 'failure'>;

function isForbidden({ failure }: Read): boolean {
  return failure?.kind === 'refused' && failure.code === 403;
}

/** @throws while it is not known, for a reason that passes. */
function readKey(
  watch: Read,
  key: string,
  endpoint: URL,
  policy: SecretPolicy,
  config: string | undefined,
): SecretRead {
  switch (watch.content.kind) {
    case 'missing':
      return { kind: 'secret-missing' };
    case 'unknown':
      if (!isForbidden(watch)) throw new Error('the Secret has not been read yet');
      return forbiddenSecret;
    case 'present':
      return readSecretKey(watch.content, key, endpoint, policy, config);
  }
}
