/**
 * The cluster as the page's store: one more client of the API server beside kubectl, with a field manager of its own.
 *
 * A new config comes before its Secret, which names it as its owner by uid: meanwhile it refers to a Secret that is missing,
 * and sends nothing.
 */
import { type ConfigId, done, type EditorResult } from '../../configEditor.ts';
import type { ConfigState } from '../../configSource.ts';
import type { SecretReader } from '../../destination/secretReader.ts';
import type { ManifestStore, StoredManifest, Written } from '../../editor/manifestStore.ts';
import type { PageSecret, SecretKeyRef } from '../../editor/pageSecrets.ts';
import type { DraftPlan } from '../../editor/planDraft.ts';
import { listPageRefs } from '../../editor/secretRefsOf.ts';
import { buildSpec, isDefault, listUnits, type SpecUnits } from '../../editor/specUnits.ts';
import { findBindingProblem } from '../../organizationBindings.ts';
import { namespacePattern, objectNamePattern } from '../../schema/names.ts';
import { reconcileAtAnnotation } from '../../schema.ts';
import type { ApiAnswer } from '../apiAnswer.ts';
import type { ApiClient } from '../apiClient.ts';
import { type ClusterRules, toSelector } from '../clusterRules.ts';
import { type KubeObject, readLabels, readObject } from '../kubeObject.ts';
import { listPages, type Snapshot } from '../listPages.ts';
import { collectionPath, pageFieldManager } from '../resource.ts';
import { createConfig, findOwnerRefusal, replaceSpec } from './applySpec.ts';
import { isVersionConflict, toRefusal } from './describeRefusal.ts';
import { readOwnership } from './fieldOwners.ts';
import { LiveSecretsError, makeLiveSecrets } from './liveSecrets.ts';
import { PageSecretStore } from './pageSecretStore.ts';
import { organizationOf, toStored } from './storedObject.ts';

export interface ObjectStoreOptions {
  readonly api: ApiClient;
  /** The one namespace to read and write; null: all. */
  readonly namespace: string | null;
  /** Where new configs go. */
  readonly createNamespace: string;
  readonly rules: ClusterRules;
  /** How the source has judged the config of that uid; null: not yet. */
  readonly stateOf: (uid: string) => ConfigState | null;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

type Stored = StoredManifest<KubeObject>;

const maxAttempts = 5;

export class ObjectStore implements ManifestStore<KubeObject> {
  readonly createNamespace: string;
  readonly place: string;
  readonly #options: ObjectStoreOptions;
  readonly #secrets: PageSecretStore;

  constructor(options: ObjectStoreOptions) {
    this.#options = options;
    this.createNamespace = options.createNamespace;
    this.place = `namespace ${options.createNamespace}`;
    this.#secrets = new PageSecretStore(options.api, options.signal);
  }

  async run<T>(operation: () => Promise<EditorResult<T>>): Promise<EditorResult<T>> {
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof LiveSecretsError)) throw error;
      return toRefusal(error.failure, { verb: 'get', resource: 'secrets', namespace: error.namespace });
    }
  }

  async list(organization: string): Promise<EditorResult<readonly Stored[]>> {
    const { namespace } = this.#options;
    const answer = await this.#listObjects(organization);
    if (answer.kind !== 'ok') return toRefusal(answer, { verb: 'list', resource: 'configs', namespace });
    const own = answer.body.objects.filter((object) => organizationOf(object) === organization);
    return { kind: 'ok', value: own.map((object) => this.#toStored(object)) };
  }

  async find(organization: string, id: ConfigId): Promise<EditorResult<Stored>> {
    const { namespace } = this.#options;
    if (!isPossible(id) || (namespace !== null && id.namespace !== namespace)) return { kind: 'gone' };
    const answer = await this.#get(id);
    if (answer.kind !== 'ok')
      return toRefusal(answer, { verb: 'get', resource: 'configs', namespace: id.namespace });
    const object = readObject(answer.body);
    if (object === null || organizationOf(object) !== organization || !this.#isOurs(object))
      return { kind: 'gone' };
    return { kind: 'ok', value: this.#toStored(object) };
  }

  async findHolder(organization: string, id: ConfigId): Promise<'nobody' | 'own' | 'foreign'> {
    const answer = await this.#get(id);
    const object = answer.kind === 'ok' ? readObject(answer.body) : null;
    if (object === null) return 'nobody';
    return organizationOf(object) === organization && this.#isOurs(object) ? 'own' : 'foreign';
  }

  makeSecretReader(): SecretReader {
    const { api, rules, signal } = this.#options;
    return makeLiveSecrets(api, rules.secrets, signal);
  }

  /** The collector would refuse it: nothing is saved that cannot work. */
  findBindingProblem(organization: string, namespace: string): string | null {
    return findBindingProblem(this.#options.rules.organizations, namespace, organization);
  }

  async findReadOnly(): Promise<null> {
    return null;
  }

  findObstacle({ source }: Stored, target: SpecUnits): string | null {
    return findOwnerRefusal(source, target);
  }

  checkCreate({ namespace }: ConfigId, { secrets }: DraftPlan): Promise<EditorResult<void>> {
    return this.#secrets.tryWrite(namespace, secrets);
  }

  async create(
    { namespace, name }: ConfigId,
    plan: DraftPlan,
  ): Promise<EditorResult<void> | { readonly kind: 'taken' }> {
    const { api, rules, signal } = this.#options;
    const said = [...listUnits(plan.spec)].filter(([unit, value]) => !isDefault(unit, value));
    const created = await createConfig(
      api,
      { namespace, name, labels: rules.labels, spec: buildSpec(said) },
      signal,
    );
    if (created.kind !== 'ok') {
      if (isVersionConflict(created)) return { kind: 'taken' };
      return toRefusal(created, { verb: 'create', resource: 'configs', namespace });
    }
    const object = readObject(created.body);
    if (object === null)
      return { kind: 'unavailable', reason: 'The answer of the API server is not an object: try again.' };
    const written = await this.#secrets.write(object, plan.secrets);
    return written.kind === 'ok' ? done : await this.#takeBack(object, plan.secrets, written);
  }

  replace({ source }: Stored, target: SpecUnits): Promise<Written> {
    const { api, rules, signal } = this.#options;
    return replaceSpec(api, source, { labels: rules.labels, target }, signal);
  }

  async annotate({ id, source }: Stored, reconcileAt: string): Promise<Written> {
    const { api, signal } = this.#options;
    const metadata = { uid: source.metadata.uid, annotations: { [reconcileAtAnnotation]: reconcileAt } };
    const answer = await api.request({
      method: 'PATCH',
      path: pathOf(id),
      query: { fieldManager: pageFieldManager },
      body: { contentType: 'application/merge-patch+json', value: { metadata } },
      signal,
    });
    if (answer.kind === 'ok') return done;
    // The uid differs: it was deleted and created again.
    if (answer.kind === 'refused' && answer.code === 409) return { kind: 'gone' };
    return toRefusal(answer, { verb: 'patch', resource: 'configs', namespace: id.namespace });
  }

  async remove({ id, spec, source }: Stored): Promise<Written> {
    const answer = await this.#delete(source);
    if (answer.kind !== 'ok') {
      if (isVersionConflict(answer)) return { kind: 'conflict' };
      return toRefusal(answer, { verb: 'delete', resource: 'configs', namespace: id.namespace });
    }
    const names = listPageRefs(spec, id.name).map(({ name }) => name);
    await this.#secrets.remove(source, [...new Set(names)]);
    return done;
  }

  writeSecrets({ source }: Stored, secrets: readonly PageSecret[]): Promise<EditorResult<void>> {
    return this.#secrets.write(source, secrets);
  }

  dropSecrets({ source }: Stored, refs: readonly SecretKeyRef[]): Promise<void> {
    return this.#secrets.prune(source, refs);
  }

  /** Another collector's, by its labels, is none of this page's business. */
  #isOurs(object: KubeObject): boolean {
    const labels = readLabels(object);
    return Object.entries(this.#options.rules.labels).every(([key, value]) => labels[key] === value);
  }

  #toStored(object: KubeObject): Stored {
    return toStored(object, this.#options.stateOf(object.metadata.uid));
  }

  #get(id: ConfigId): Promise<ApiAnswer> {
    return this.#options.api.request({ path: pathOf(id), signal: this.#options.signal });
  }

  /** Selected by organization where the server can (since 1.31); else all of them. */
  async #listObjects(organization: string): Promise<ApiAnswer<Snapshot>> {
    const { api, namespace, rules, signal } = this.#options;
    const path = collectionPath(namespace);
    const value = organization.replace(/[\\,=]/g, '\\$&');
    const selectors = toSelector(rules.labels);
    const fieldSelector = `spec.organization=${value}`;
    const selected = await listPages(api, path, signal, { selectors: { ...selectors, fieldSelector } });
    if (selected.kind !== 'refused' || selected.code !== 400) return selected;
    return await listPages(api, path, signal, { selectors });
  }

  /** Exactly the version that was read: neither a newer one, nor another config under its name. */
  #delete({ metadata }: KubeObject): Promise<ApiAnswer> {
    const { uid, resourceVersion } = metadata;
    const value = { propagationPolicy: 'Background', preconditions: { uid, resourceVersion } };
    return this.#options.api.request({
      method: 'DELETE',
      path: pathOf(metadata),
      body: { contentType: 'application/json', value },
      signal: this.#options.signal,
    });
  }

  async #takeBack<T>(
    object: KubeObject,
    secrets: readonly PageSecret[],
    failure: EditorResult<T>,
  ): Promise<EditorResult<T>> {
    await this.#secrets.remove(
      object,
      secrets.map(({ name }) => name),
    );
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const found = await this.#get(object.metadata);
      const now = found.kind === 'ok' ? readObject(found.body) : null;
      if (now === null || now.metadata.uid !== object.metadata.uid) break;
      // Another manager has taken it over.
      if (readOwnership(now).get('organization')?.manager) break;
      if ((await this.#delete(now)).kind === 'ok') return failure;
    }
    const { namespace, name } = object.metadata;
    const reason = `${namespace}/${name} may have been created without the values of its headers and certificates. It sends nothing like this: open it and enter them again.`;
    return { kind: 'unavailable', reason };
  }
}

function pathOf({ namespace, name }: ConfigId): string {
  return `${collectionPath(namespace)}/${name}`;
}

/** Safe as segments of a path. */
function isPossible({ namespace, name }: ConfigId): boolean {
  return (
    namespace.length <= 63 &&
    namespacePattern.test(namespace) &&
    name.length <= 253 &&
    objectNamePattern.test(name)
  );
}
