/**
 * Writes the page's own Secrets: labelled as such, and owned by their config, so that they are deleted with it. A Secret
 * without the label is never touched.
 *
 * Only keys that are named are taken out: another save may just have written others.
 */

import { isMap } from '../../../basics/isMap.ts';
import type { Secret } from '../../../model/secret.ts';
import { done, type EditorResult, refused, unavailable } from '../../configEditor.ts';
import type { PageSecret, SecretKeyRef } from '../../editor/pageSecrets.ts';
import { configApiVersion, configKind } from '../../schema.ts';
import type { ApiAnswer, ApiFailure } from '../apiAnswer.ts';
import type { ApiClient } from '../apiClient.ts';
import { type KubeObject, listOwners, readLabels, readObject } from '../kubeObject.ts';
import { pageFieldManager, secretsPath } from '../resource.ts';
import { exportLabel } from '../secretConsent.ts';
import { type Attempt, toRefusal } from './describeRefusal.ts';

type SecretWrite = EditorResult<void>;

const pageLabel = 'app.kubernetes.io/managed-by';
/** Concurrent saves take turns: all but the winner read and try again. */
const maxAttempts = 20;

export class PageSecretStore {
  readonly #api: ApiClient;
  readonly #signal: AbortSignal;

  constructor(api: ApiClient, signal: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
  }

  /** Whether `write` would be allowed and accepted; it finds a Secret of somebody else's in its place, too. */
  tryWrite(namespace: string, secrets: readonly PageSecret[]): Promise<SecretWrite> {
    return this.#putAll(namespace, secrets, null);
  }

  /** Adds the keys; what else is in there stays. */
  write(owner: KubeObject, secrets: readonly PageSecret[]): Promise<SecretWrite> {
    return this.#putAll(owner.metadata.namespace, secrets, owner);
  }

  /** Takes these keys out, and deletes a Secret that holds nothing else. What fails is left for the garbage collection. */
  async prune(owner: KubeObject, refs: readonly SecretKeyRef[]): Promise<void> {
    for (const name of new Set(refs.map((ref) => ref.name))) {
      const keys = refs.filter((ref) => ref.name === name).map((ref) => ref.key);
      await this.#pruneKeys(owner, name, keys);
    }
  }

  /** Deletes the Secrets of these names that belong to `owner`; what fails is left for the garbage collection. */
  async remove(owner: KubeObject, names: readonly string[]): Promise<void> {
    for (const name of names) {
      const object = await this.#findOwn(owner, name);
      if (object !== null) await this.#delete(object);
    }
  }

  async #putAll(
    namespace: string,
    secrets: readonly PageSecret[],
    owner: KubeObject | null,
  ): Promise<SecretWrite> {
    for (const secret of secrets) {
      const written = await this.#put(namespace, secret, owner);
      if (written.kind !== 'ok') return written;
    }
    return done;
  }

  /** `owner` null: only whether it would work. */
  async #put(namespace: string, secret: PageSecret, owner: KubeObject | null): Promise<SecretWrite> {
    const { name } = secret;
    let failure: ApiFailure = { kind: 'aborted' };
    let verb: Attempt['verb'] = 'get';
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      verb = 'get';
      const found = await this.#get(namespace, name);
      let written: ApiAnswer;
      if (found.kind === 'ok') {
        const object = readObject(found.body);
        if (object === null || !isOurs(object)) return foreign(namespace, name);
        verb = 'patch';
        const data = encode(secret.data);
        // A config of this name has left it behind, until the garbage collection comes.
        const isStale = owner !== null && !isOwnedBy(object, owner);
        written = await this.#patch(object, owner, isStale ? { ...blankKeys(object), ...data } : data);
      } else if (isMissing(found)) {
        verb = 'create';
        written = await this.#create(namespace, secret, owner);
      } else written = found;
      if (written.kind === 'ok') return done;
      failure = written;
      // Created or changed by another save meanwhile.
      if (failure.kind !== 'refused' || (failure.code !== 409 && !isMissing(failure))) break;
    }
    if (failure.kind === 'refused' && failure.code === 409)
      return unavailable(`Secret ${namespace}/${name} kept changing while it was being saved: try again.`);
    return toRefusal(hideValues(failure, secret), { verb, resource: 'secrets', namespace });
  }

  #create(namespace: string, secret: PageSecret, owner: KubeObject | null): Promise<ApiAnswer> {
    const labels = {
      [pageLabel]: pageFieldManager,
      'app.kubernetes.io/name': 'audit-export',
      [exportLabel]: 'true',
    };
    const metadata = { name: secret.name, namespace, labels, ...ownerOf(owner) };
    const type = secret.kind === 'tls' ? 'kubernetes.io/tls' : 'Opaque';
    const value = { apiVersion: 'v1', kind: 'Secret', metadata, type, data: encode(secret.data) };
    return this.#api.request({
      method: 'POST',
      path: secretsPath(namespace),
      query: queryOf(owner),
      body: { contentType: 'application/json', value },
      signal: this.#signal,
    });
  }

  /** Only as long as it is the version that was read. */
  #patch(
    found: KubeObject,
    owner: KubeObject | null,
    data: Record<string, string | null>,
  ): Promise<ApiAnswer> {
    const { name, namespace, resourceVersion } = found.metadata;
    // The Secret may be older than the label.
    const metadata = { resourceVersion, labels: { [exportLabel]: 'true' }, ...ownerOf(owner) };
    return this.#api.request({
      method: 'PATCH',
      path: pathOf(namespace, name),
      query: queryOf(owner),
      body: { contentType: 'application/merge-patch+json', value: { metadata, data } },
      signal: this.#signal,
    });
  }

  #get(namespace: string, name: string): Promise<ApiAnswer> {
    return this.#api.request({ path: pathOf(namespace, name), signal: this.#signal });
  }

  async #findOwn(owner: KubeObject, name: string): Promise<KubeObject | null> {
    const found = await this.#get(owner.metadata.namespace, name);
    const object = found.kind === 'ok' ? readObject(found.body) : null;
    return object !== null && isOurs(object) && isOwnedBy(object, owner) ? object : null;
  }

  async #delete({ metadata }: KubeObject): Promise<void> {
    const { namespace, name, uid, resourceVersion } = metadata;
    const value = { preconditions: { uid, resourceVersion } };
    const body = { contentType: 'application/json', value };
    const path = pathOf(namespace, name);
    await this.#api.request({ method: 'DELETE', path, body, signal: this.#signal });
  }

  async #pruneKeys(owner: KubeObject, name: string, keys: readonly string[]): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const object = await this.#findOwn(owner, name);
      if (object === null) return;
      const data = isMap(object.raw['data']) ? object.raw['data'] : {};
      const present = keys.filter((key) => Object.hasOwn(data, key));
      if (present.length === 0) return;
      const isTls = object.raw['type'] === 'kubernetes.io/tls';
      if (isTls || present.length === Object.keys(data).length) return await this.#delete(object);
      const pruned = await this.#patch(object, owner, Object.fromEntries(present.map((key) => [key, null])));
      if (pruned.kind !== 'refused' || pruned.code !== 409) return;
    }
  }
}

function pathOf(namespace: string, name: string): string {
  return `${secretsPath(namespace)}/${name}`;
}

/** Without an owner it is a try: nothing is written. */
function queryOf(owner: KubeObject | null): Record<string, string> {
  return { fieldManager: pageFieldManager, ...(owner === null ? { dryRun: 'All' } : {}) };
}

function ownerOf(owner: KubeObject | null): { ownerReferences?: unknown[] } {
  if (owner === null) return {};
  const { name, uid } = owner.metadata;
  return { ownerReferences: [{ apiVersion: configApiVersion, kind: configKind, name, uid }] };
}

function foreign(namespace: string, name: string): SecretWrite {
  return refused(
    `Secret ${namespace}/${name} is not the page's (it lacks the label ${pageLabel}: ${pageFieldManager}), so it is left alone: rename or delete it, then save again.`,
  );
}

function encode(data: ReadonlyMap<string, Secret>): Record<string, string> {
  return Object.fromEntries(
    [...data].map(([key, value]) => [key, Buffer.from(value.reveal()).toString('base64')]),
  );
}

/** A policy of the cluster may repeat what it refuses. */
function hideValues(failure: ApiFailure, { data }: PageSecret): ApiFailure {
  if (failure.kind !== 'refused') return failure;
  let { message } = failure;
  for (const value of data.values()) {
    const text = value.reveal();
    for (const each of text === '' ? [] : [text, Buffer.from(text).toString('base64')]) {
      message = message.replaceAll(each, '[secret]');
    }
  }
  const { code, retryAfterMs } = failure;
  const details = failure.details && { ...failure.details, causes: [] };
  return { kind: 'refused', code, message, retryAfterMs, ...(details && { details }) };
}

function blankKeys({ raw }: KubeObject): Record<string, null> {
  const data = isMap(raw['data']) ? raw['data'] : {};
  return Object.fromEntries(Object.keys(data).map((key) => [key, null]));
}

function isOurs(object: KubeObject): boolean {
  return readLabels(object)[pageLabel] === pageFieldManager;
}

function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  return listOwners(object).some(({ uid }) => uid === owner.metadata.uid);
}

function isMissing(failure: ApiFailure): boolean {
  return failure.kind === 'refused' && failure.code === 404 && failure.details?.kind === 'secrets';
}
