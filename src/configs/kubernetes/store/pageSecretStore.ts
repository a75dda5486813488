/**
 * The Secrets that the page writes: labelled as its own, and owned by their config, so that they go with it. One without
 * the label is never touched.
 *
 * Only keys that are given up by name are taken out: what another save has just written is not known here.
 */
import type { Secret } from '../../../model/secret.ts';
import type { EditorResult } from '../../configEditor.ts';
import { isMap } from '../../editor/isMap.ts';
import type { PageSecret, SecretKeyRef } from '../../editor/pageSecrets.ts';
import { configApiVersion, configKind } from '../../schema.ts';
import type { ApiAnswer, ApiFailure } from '../apiAnswer.ts';
import type { ApiClient } from '../apiClient.ts';
import { type KubeObject, readObject } from '../kubeObject.ts';
import { pageFieldManager, secretsPath } from '../resource.ts';
import { exportLabel } from '../secretConsent.ts';
import { type Attempt, toRefusal } from './describeRefusal.ts';

type SecretWrite = EditorResult<void>;

export interface PageSecretStore {
  /** Whether `write` would be allowed and accepted; a Secret of somebody else's in its place is found here, too. */
  tryWrite(namespace: string, secrets: readonly PageSecret[]): Promise<SecretWrite>;
  /** Adds the keys; what else is in there stays. */
  write(owner: KubeObject, secrets: readonly PageSecret[]): Promise<SecretWrite>;
  /** Takes these keys out, and deletes a Secret that was made for nothing else. What fails is left for the garbage collection. */
  prune(owner: KubeObject, refs: readonly SecretKeyRef[]): Promise<void>;
  /** Deletes the Secrets of these names that belong to `owner`; what fails is left for the garbage collection. */
  remove(owner: KubeObject, names: readonly string[]): Promise<void>;
}

const pageLabel = 'app.kubernetes.io/managed-by';
/** Of saves at the same time each has its turn: all but one read again. */
const maxAttempts = 20;

export function makePageSecretStore(api: ApiClient, signal: AbortSignal): PageSecretStore {
  const pathOf = (namespace: string, name: string) => `${secretsPath(namespace)}/${name}`;

  function create(namespace: string, secret: PageSecret, owner: KubeObject | null): Promise<ApiAnswer> {
    const metadata = {
      name: secret.name,
      namespace,
      labels: {
        [pageLabel]: pageFieldManager,
        'app.kubernetes.io/name': 'audit-export',
        [exportLabel]: 'true',
      },
      ...(owner === null ? {} : { ownerReferences: [referTo(owner)] }),
    };
    const type = secret.kind === 'tls' ? 'kubernetes.io/tls' : 'Opaque';
    const value = { apiVersion: 'v1', kind: 'Secret', metadata, type, data: encode(secret.data) };
    const query = { fieldManager: pageFieldManager, ...(owner === null ? { dryRun: 'All' } : {}) };
    return api.request({
      method: 'POST',
      path: secretsPath(namespace),
      query,
      body: { contentType: 'application/json', value },
      signal,
    });
  }

  /** Only as long as it is the version that was read. */
  function patch(
    found: KubeObject,
    owner: KubeObject | null,
    data: Record<string, string | null>,
  ): Promise<ApiAnswer> {
    const { name, namespace, resourceVersion } = found.metadata;
    const metadata = {
      resourceVersion,
      // Made before there was this label.
      labels: { [exportLabel]: 'true' },
      ...(owner === null ? {} : { ownerReferences: [referTo(owner)] }),
    };
    return api.request({
      method: 'PATCH',
      path: pathOf(namespace, name),
      query: { fieldManager: pageFieldManager, ...(owner === null ? { dryRun: 'All' } : {}) },
      body: { contentType: 'application/merge-patch+json', value: { metadata, data } },
      signal,
    });
  }

  /** `owner` null: only whether it would work. */
  async function put(namespace: string, secret: PageSecret, owner: KubeObject | null): Promise<SecretWrite> {
    let failure: ApiFailure | null = null;
    let verb: Attempt['verb'] = 'get';
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      verb = 'get';
      const found = await api.request({ path: pathOf(namespace, secret.name), signal });
      let written: ApiAnswer;
      if (found.kind === 'ok') {
        const object = readObject(found.body);
        if (object === null || !isOurs(object)) return foreign(namespace, secret.name);
        verb = 'patch';
        const data = encode(secret.data);
        // What a config of this name has left behind, until the garbage collection comes.
        const isStale = owner !== null && !isOwnedBy(object, owner);
        written = await patch(object, owner, isStale ? { ...blankKeys(object), ...data } : data);
      } else if (isMissing(found)) {
        verb = 'create';
        written = await create(namespace, secret, owner);
      } else written = found;
      if (written.kind === 'ok') return { kind: 'ok', value: undefined };
      failure = written;
      // Made or changed by another save meanwhile.
      if (failure.kind !== 'refused' || (failure.code !== 409 && !isMissing(failure))) break;
    }
    const attempted: Attempt = { verb, resource: 'secrets', namespace };
    if (failure?.kind === 'refused' && failure.code === 409) {
      const reason = `Secret ${namespace}/${secret.name} was changed by others again and again meanwhile: try again.`;
      return { kind: 'unavailable', reason };
    }
    return toRefusal(hideValues(failure ?? { kind: 'aborted' }, secret), attempted);
  }

  async function putAll(
    namespace: string,
    secrets: readonly PageSecret[],
    owner: KubeObject | null,
  ): Promise<SecretWrite> {
    for (const secret of secrets) {
      const written = await put(namespace, secret, owner);
      if (written.kind !== 'ok') return written;
    }
    return { kind: 'ok', value: undefined };
  }

  async function findOwn(owner: KubeObject, name: string): Promise<KubeObject | null> {
    const found = await api.request({ path: pathOf(owner.metadata.namespace, name), signal });
    const object = found.kind === 'ok' ? readObject(found.body) : null;
    return object !== null && isOurs(object) && isOwnedBy(object, owner) ? object : null;
  }

  async function deleteSecret({ metadata }: KubeObject): Promise<void> {
    const { namespace, name, uid, resourceVersion } = metadata;
    const value = { preconditions: { uid, resourceVersion } };
    const body = { contentType: 'application/json', value };
    await api.request({ method: 'DELETE', path: pathOf(namespace, name), body, signal });
  }

  async function pruneKeys(owner: KubeObject, name: string, keys: readonly string[]): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const object = await findOwn(owner, name);
      if (object === null) return;
      const data = isMap(object.raw['data']) ? object.raw['data'] : {};
      const present = keys.filter((key) => Object.hasOwn(data, key));
      if (present.length === 0) return;
      const isTls = object.raw['type'] === 'kubernetes.io/tls';
      if (isTls || present.length === Object.keys(data).length) return await deleteSecret(object);
      const pruned = await patch(object, owner, Object.fromEntries(present.map((key) => [key, null])));
      if (pruned.kind !== 'refused' || pruned.code !== 409) return;
    }
  }

  return {
    tryWrite: (namespace, secrets) => putAll(namespace, secrets, null),
    write: (owner, secrets) => putAll(owner.metadata.namespace, secrets, owner),
    async prune(owner, refs) {
      for (const name of new Set(refs.map((ref) => ref.name))) {
        const keys = refs.filter((ref) => ref.name === name).map((ref) => ref.key);
        await pruneKeys(owner, name, keys);
      }
    },
    async remove(owner, names) {
      for (const name of names) {
        const object = await findOwn(owner, name);
        if (object !== null) await deleteSecret(object);
      }
    },
  };
}

function foreign(namespace: string, name: string): SecretWrite {
  return {
    kind: 'refused',
    reason: `Secret ${namespace}/${name} is not the page's (it lacks the label ${pageLabel}: ${pageFieldManager}), so it is left alone: rename or delete it, then save again.`,
  };
}

function referTo({ metadata }: KubeObject): Record<string, string> {
  return { apiVersion: configApiVersion, kind: configKind, name: metadata.name, uid: metadata.uid };
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

function isOurs({ raw }: KubeObject): boolean {
  const metadata = isMap(raw['metadata']) ? raw['metadata'] : {};
  return isMap(metadata['labels']) && metadata['labels'][pageLabel] === pageFieldManager;
}

function isOwnedBy({ raw }: KubeObject, owner: KubeObject): boolean {
  const metadata = isMap(raw['metadata']) ? raw['metadata'] : {};
  const references = Array.isArray(metadata['ownerReferences']) ? metadata['ownerReferences'] : [];
  return references.some((each) => isMap(each) && each['uid'] === owner.metadata.uid);
}

function isMissing(failure: ApiFailure): boolean {
  return failure.kind === 'refused' && failure.code === 404 && failure.details?.kind === 'secrets';
}
