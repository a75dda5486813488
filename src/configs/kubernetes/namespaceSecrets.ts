/**
 * Follows the Secrets of one namespace that manifests refer to, and no others.
 *
 *   one watch of the metadata of all → the version of a followed one changes → read it by its name
 *
 * So a namespace costs one connection, whatever the number of names that people write into configs; a missing Secret costs
 * nothing, and is seen as soon as somebody creates it; and what other Secrets hold never comes here. Where that watch is not
 * allowed (a role narrowed by resourceNames), each is followed by its name (secretWatch.ts) until it is.
 */

import { RetryLater, WorkQueue } from '../../basics/workQueue.ts';
import { type ApiFailure, isSameFailure } from './apiAnswer.ts';
import { type KubeObject, readObject } from './kubeObject.ts';
import { listPages } from './listPages.ts';
import { Reflector } from './reflector.ts';
import { secretsPath } from './resource.ts';
import { type SecretContent, toPresentSecret } from './secretContent.ts';
import { type NamespaceSecretsOptions, SecretWatch } from './secretWatch.ts';

/** What is known of a Secret, and why it cannot be read now; null: it can. */
export type SecretView = Pick<SecretWatch, 'content' | 'failure'>;

interface Followed {
  readonly onChange: () => void;
  content: SecretContent;
  failure: ApiFailure | null;
  /** Version of the object that `content` was read from. */
  version: string | null;
  byName: SecretWatch | null;
}

const readsAtOnce = 8;

export class NamespaceSecrets {
  readonly #options: NamespaceSecretsOptions;
  readonly #path: string;
  readonly #followed = new Map<string, Followed>();
  readonly #ending = new Set<Promise<void>>();
  /** Versions of all Secrets of the namespace, by name. */
  readonly #versions = new Map<string, string>();
  readonly #reads: WorkQueue;
  readonly #reflector: Reflector;
  #mode: 'unknown' | 'together' | 'by-name' = 'unknown';
  /** Why the common watch does not work; null: it does. */
  #failure: ApiFailure | null = null;

  constructor(options: NamespaceSecretsOptions) {
    const { api, namespace, watchLimit, onRestart, retry, timing } = options;
    const path = secretsPath(namespace);
    this.#options = options;
    this.#path = path;
    this.#reads = new WorkQueue({
      concurrency: readsAtOnce,
      work: (name, signal) => this.#read(name, signal),
      retry,
    });
    this.#reflector = new Reflector({
      api,
      path,
      metadataOnly: true,
      list: (signal) => listPages(api, path, signal, { metadataOnly: true }),
      streamsInitialState: true,
      isBypassable: true,
      waitTurn: (signal) => watchLimit.take(signal),
      onRestart,
      retry,
      timing,
      sink: {
        replace: (objects) => this.#replaceVersions(objects),
        apply: (type, object) => this.#takeVersion(type, object),
        onHealth: (failure) => this.#takeHealth(failure),
      },
    });
    this.#reflector.start();
  }

  follow(name: string, onChange: () => void): void {
    if (this.#followed.has(name)) return;
    const secret: Followed = {
      onChange,
      content: { kind: 'unknown' },
      failure: null,
      version: null,
      byName: null,
    };
    this.#followed.set(name, secret);
    this.#update(name, secret);
  }

  /** Returns how many are still followed. */
  unfollow(name: string): number {
    const secret = this.#followed.get(name);
    if (secret !== undefined) this.#endWatch(secret);
    this.#followed.delete(name);
    return this.#followed.size;
  }

  /** undefined: it is not followed. */
  find(name: string): SecretView | undefined {
    const secret = this.#followed.get(name);
    return secret === undefined ? undefined : viewOf(secret);
  }

  async stop(): Promise<void> {
    for (const secret of this.#followed.values()) this.#endWatch(secret);
    await this.#reflector.stop();
    await this.#reads.stop();
    await Promise.all([...this.#ending]);
  }

  /** @throws RetryLater when the Secret could not be read. */
  async #read(name: string, signal: AbortSignal): Promise<void> {
    if (!this.#needsRead(name)) return;
    await this.#options.readLimit.take(signal);
    const answer = await this.#options.api.request({ path: `${this.#path}/${name}`, signal });
    const secret = this.#followed.get(name);
    if (secret === undefined || this.#mode !== 'together' || answer.kind === 'aborted') return;
    if (answer.kind === 'ok') {
      const object = readObject(answer.body);
      if (object === null) throw new RetryLater('not a Secret', null);
      const version = object.metadata.resourceVersion;
      const content: SecretContent = { kind: 'present', ...toPresentSecret(object) };
      Object.assign(secret, { content, failure: null, version });
      secret.onChange();
    } else if (answer.kind === 'refused' && answer.code === 404) {
      // Deleted since: the watch says so as well.
      setMissing(secret);
    } else {
      setFailure(secret, answer);
      throw new RetryLater('a Secret', answer.kind === 'refused' ? answer.retryAfterMs : null);
    }
  }

  #needsRead(name: string): boolean {
    const version = this.#versions.get(name);
    const secret = this.#followed.get(name);
    return (
      this.#mode === 'together' && secret !== undefined && version !== undefined && secret.version !== version
    );
  }

  #update(name: string, secret: Followed): void {
    if (this.#mode === 'by-name') {
      secret.byName ??= new SecretWatch({ ...this.#options, name, onChange: secret.onChange });
    } else if (this.#mode === 'unknown') setFailure(secret, this.#failure);
    else if (!this.#versions.has(name)) setMissing(secret);
    else if (this.#needsRead(name)) this.#reads.add(name);
  }

  #endWatch(secret: Followed): void {
    const { byName } = secret;
    if (byName === null) return;
    // What it knew stays until it is read again.
    Object.assign(secret, { ...viewOf(secret), version: null, byName: null });
    const end = byName.stop();
    this.#ending.add(end);
    void end.finally(() => this.#ending.delete(end));
  }

  #setMode(next: 'together' | 'by-name'): void {
    if (next === 'together') for (const secret of this.#followed.values()) this.#endWatch(secret);
    this.#mode = next;
    for (const [name, secret] of this.#followed) this.#update(name, secret);
  }

  #replaceVersions(objects: readonly KubeObject[]): void {
    this.#versions.clear();
    for (const { metadata } of objects) this.#versions.set(metadata.name, metadata.resourceVersion);
    this.#setMode('together');
  }

  #takeVersion(type: 'ADDED' | 'MODIFIED' | 'DELETED', { metadata }: KubeObject): void {
    const { name, resourceVersion } = metadata;
    if (type === 'DELETED') this.#versions.delete(name);
    else this.#versions.set(name, resourceVersion);
    const secret = this.#followed.get(name);
    if (secret !== undefined && this.#mode === 'together') this.#update(name, secret);
  }

  #takeHealth(next: ApiFailure | null): void {
    this.#failure = next;
    if (next?.kind === 'refused' && next.code === 403) this.#setMode('by-name');
    else if (this.#mode !== 'by-name') {
      for (const [name, secret] of this.#followed) {
        if (next !== null) setFailure(secret, next);
        // One that could not be read for a reason of its own is still being tried.
        else if (!this.#needsRead(name)) setFailure(secret, null);
      }
    }
  }
}

function setMissing(secret: Followed): void {
  const isNews = secret.content.kind !== 'missing' || secret.failure !== null;
  Object.assign(secret, { content: { kind: 'missing' }, failure: null, version: null });
  if (isNews) secret.onChange();
}

function setFailure(secret: Followed, next: ApiFailure | null): void {
  const isNews = !isSameFailure(secret.failure, next);
  secret.failure = next;
  if (isNews) secret.onChange();
}

/** What was read last stays, whichever way it was read. */
function viewOf({ content, failure, byName }: Followed): SecretView {
  if (byName === null) return { content, failure };
  return { content: byName.content.kind === 'unknown' ? content : byName.content, failure: byName.failure };
}
