/**
 * The Secrets that manifests refer to: who depends on which, and what a key of one is for an export.
 *
 * namespaceSecrets.ts follows them. It may read 200 a second after a burst of 200, so that 1,000 configs have theirs in 5 s.
 */

import type { BackoffLimits } from '../../basics/backoff.ts';
import { RateLimit } from '../../basics/rateLimit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { SecretRead, SecretReader } from '../destination/secretReader.ts';
import { describeFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { NamespaceSecrets, type SecretView } from './namespaceSecrets.ts';
import type { ReflectorTiming } from './reflector.ts';
import { isOwnSecret, ownSecretMessage, type SecretPolicy } from './secretConsent.ts';
import { forbiddenSecret, readSecretKey } from './secretContent.ts';

export interface SecretStoreOptions {
  readonly api: ApiClient;
  readonly policy: SecretPolicy;
  readonly log: Logger;
  /** Something that `owner` depends on has changed. */
  readonly onChange: (owner: string) => void;
  readonly onRestart: () => void;
  readonly retry: BackoffLimits;
  readonly timing: Partial<ReflectorTiming>;
}

interface Entry {
  readonly namespace: string;
  readonly name: string;
  readonly owners: Set<string>;
  isFailing: boolean;
  /** Followed for so short a time that it may yet come. The timer alone ends it: a timer can fire before its time. */
  mayCome: boolean;
}

/** A Secret often comes a moment after the config that names it: until then it is not called missing. */
const companyMs = 1_000;

const readsPerSecond = 200;
const watchesPerSecond = 200;

export class SecretStore implements SecretReader {
  readonly #options: SecretStoreOptions;
  /** By `namespace/name`. */
  readonly #entries = new Map<string, Entry>();
  /** Ids of entries by owner. */
  readonly #wanted = new Map<string, ReadonlySet<string>>();
  readonly #namespaces = new Map<string, NamespaceSecrets>();
  readonly #stopping = new Set<Promise<void>>();
  readonly #readLimit = new RateLimit({ perSecond: readsPerSecond, burst: readsPerSecond });
  readonly #watchLimit = new RateLimit({ perSecond: watchesPerSecond, burst: watchesPerSecond });

  constructor(options: SecretStoreOptions) {
    this.#options = options;
  }

  /** From now on `owner` depends on exactly these; `names` are in `namespace`. */
  want(owner: string, namespace: string, names: readonly string[]): void {
    const others = names.filter((name) => !isOwnSecret(this.#options.policy, namespace, name));
    const next = new Set(others.map((name) => `${namespace}/${name}`));
    for (const id of this.#wanted.get(owner) ?? []) {
      const owners = this.#entries.get(id)?.owners;
      if (next.has(id) || owners === undefined) continue;
      owners.delete(owner);
      if (owners.size === 0) this.#drop(id);
    }
    for (const name of others) {
      const id = `${namespace}/${name}`;
      (this.#entries.get(id) ?? this.#add(id, namespace, name)).owners.add(owner);
    }
    if (next.size === 0) this.#wanted.delete(owner);
    else this.#wanted.set(owner, next);
  }

  /**
   * Whether everything that `owner` depends on is known. `waiting`: `onChange` follows as soon as there is news.
   * `unavailable`: something could not be read so far, for a reason that passes; the store keeps trying.
   */
  readiness(owner: string): 'known' | 'waiting' | 'unavailable' {
    let isUnavailable = false;
    for (const id of this.#wanted.get(owner) ?? []) {
      const entry = this.#entries.get(id);
      const view = entry && this.#find(entry);
      if (entry === undefined || view === undefined || view.content.kind === 'present') continue;
      if (view.content.kind === 'missing') {
        if (entry.mayCome) return 'waiting';
        continue;
      }
      if (view.failure === null) return 'waiting';
      if (!isForbidden(view)) isUnavailable = true;
    }
    return isUnavailable ? 'unavailable' : 'known';
  }

  async read(
    namespace: string,
    name: string,
    key: string,
    endpoint: URL,
    config?: string,
  ): Promise<SecretRead> {
    const { policy } = this.#options;
    if (isOwnSecret(policy, namespace, name)) return { kind: 'refused', message: ownSecretMessage };
    const entry = this.#entries.get(`${namespace}/${name}`);
    const view = entry && this.#find(entry);
    if (view === undefined) throw new Error(`Secret ${namespace}/${name} is not followed`);
    return readKey(view, key, endpoint, policy, config);
  }

  async stop(): Promise<void> {
    for (const id of [...this.#entries.keys()]) this.#drop(id);
    await Promise.all([...this.#stopping]);
  }

  #add(id: string, namespace: string, name: string): Entry {
    const { api, onChange, onRestart, retry, timing } = this.#options;
    const owners = new Set<string>();
    const entry = { namespace, name, owners, isFailing: false, mayCome: true };
    this.#entries.set(id, entry);
    setTimeout(() => {
      entry.mayCome = false;
      if (this.#entries.get(id) === entry) for (const owner of owners) onChange(owner);
    }, companyMs).unref();
    let secrets = this.#namespaces.get(namespace);
    if (secrets === undefined) {
      const limits = { readLimit: this.#readLimit, watchLimit: this.#watchLimit };
      secrets = new NamespaceSecrets({ api, namespace, ...limits, onRestart, retry, timing });
      this.#namespaces.set(namespace, secrets);
    }
    secrets.follow(name, () => {
      this.#report(id);
      for (const owner of owners) onChange(owner);
    });
    return entry;
  }

  #find({ namespace, name }: Entry): SecretView | undefined {
    return this.#namespaces.get(namespace)?.find(name);
  }

  /** Only where the API server refuses; an outage is one line of the source, not one for each Secret. */
  #report(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const failure = this.#find(entry)?.failure ?? null;
    if (failure !== null && failure.kind !== 'refused') return;
    if (entry.isFailing === (failure !== null)) return;
    entry.isFailing = failure !== null;
    const { log } = this.#options;
    const fields = { namespace: entry.namespace, secret: entry.name };
    if (failure === null) log.info(fields, 'the Secret can be read and watched again');
    else {
      log.warn(
        { ...fields, code: failure.code },
        `The Secret cannot be followed: ${describeFailure(failure)}. What was last read of it stays in force, and the collector keeps trying.`,
      );
    }
  }

  #drop(id: string): void {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    if (entry === undefined) return;
    const secrets = this.#namespaces.get(entry.namespace);
    if (secrets === undefined || secrets.unfollow(entry.name) > 0) return;
    this.#namespaces.delete(entry.namespace);
    const end = secrets.stop();
    this.#stopping.add(end);
    void end.finally(() => this.#stopping.delete(end));
  }
}

function isForbidden({ failure }: SecretView): boolean {
  return failure?.kind === 'refused' && failure.code === 403;
}

/** @throws while it is not known, for a reason that passes. */
function readKey(
  view: SecretView,
  key: string,
  endpoint: URL,
  policy: SecretPolicy,
  config: string | undefined,
): SecretRead {
  switch (view.content.kind) {
    case 'missing':
      return { kind: 'secret-missing' };
    case 'unknown':
      if (!isForbidden(view)) throw new Error('the Secret has not been read yet');
      return forbiddenSecret;
    case 'present':
      return readSecretKey(view.content, key, endpoint, policy, config);
  }
}
