/**
 * The page's way to write AuditExportConfigs: as another client of the API server beside kubectl, with a field manager of
 * its own.
 *
 * Everything is read from the server when it is asked for, so that what was saved is there the next time, whichever
 * replica saved it.
 *
 * Order of a save: new keys in the Secret → the spec that refers to them → keys given up. A new config comes before its
 * Secret, which needs its uid for an owner: meanwhile it refers to a Secret that is missing, and sends nothing.
 */
import type { ConfigEditor, ConfigId, EditableConfig, EditorResult } from '../../configEditor.ts';
import type { ConfigState } from '../../configSource.ts';
import { judgeDraft, resolveDraft, type Target } from '../../editor/judgeDraft.ts';
import { makeName } from '../../editor/makeName.ts';
import type { SecretKeyRef } from '../../editor/pageSecrets.ts';
import type { DraftPlan } from '../../editor/planDraft.ts';
import { listGivenUp, listPageRefs } from '../../editor/secretRefsOf.ts';
import { buildSpec, isDefault, listUnits } from '../../editor/specUnits.ts';
import { NAMESPACE_PATTERN, OBJECT_NAME_PATTERN } from '../../schema/names.ts';
import { RECONCILE_AT_ANNOTATION } from '../../schema.ts';
import type { ApiAnswer } from '../apiAnswer.ts';
import type { ApiClient } from '../apiClient.ts';
import { type KubeObject, readObject } from '../kubeObject.ts';
import { listPages, type Snapshot } from '../listPages.ts';
import { collectionPath, PAGE_FIELD_MANAGER } from '../resource.ts';
import { isVersionConflict, toRefusal } from './describeRefusal.ts';
import { organizationOf, revisionOf, toEditableConfig } from './editableConfig.ts';
import { isEndpointTyped } from './fieldOwners.ts';
import { LiveSecretsError, makeLiveSecrets } from './liveSecrets.ts';
import { makePageSecretStore } from './pageSecretStore.ts';
import { removeConfig } from './removeConfig.ts';
import { type Changed, changeSpec, createConfig } from './specWriter.ts';

export interface KubernetesEditorOptions {
  readonly api: ApiClient;
  /** The one namespace to read and write; null: all. */
  readonly namespace: string | null;
  /** Where new configs go. */
  readonly createNamespace: string;
  /** How the source has judged the config of that uid; null: not yet. */
  readonly stateOf: (uid: string) => ConfigState | null;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

const BUSY = 'The config was changed by others again and again meanwhile: try again.';
const maxNames = 20;
const maxAttempts = 5;

export function makeKubernetesEditor(options: KubernetesEditorOptions): ConfigEditor {
  const { api, namespace: only, createNamespace, stateOf, signal } = options;
  const secrets = makePageSecretStore(api, signal);

  const toEditable = (object: KubeObject) => toEditableConfig(object, stateOf(object.metadata.uid));

  /** `gone` also for one of another organization: nobody learns that it is there. */
  async function find(organization: string, id: ConfigId): Promise<EditorResult<KubeObject>> {
    if (!isPossible(id) || (only !== null && id.namespace !== only)) return { kind: 'gone' };
    const answer = await api.request({ path: pathOf(id), signal });
    if (answer.kind !== 'ok') {
      return toRefusal(answer, { verb: 'get', resource: 'configs', namespace: id.namespace });
    }
    const object = readObject(answer.body);
    if (object === null || organizationOf(object) !== organization) return { kind: 'gone' };
    return { kind: 'ok', value: object };
  }

  /** By organization, where the server can select by it (since 1.31); else all of them. */
  async function listObjects(organization: string): Promise<ApiAnswer<Snapshot>> {
    const path = collectionPath(only);
    const value = organization.replace(/[\\,=]/g, '\\$&');
    const selected = await listPages(api, path, signal, { fieldSelector: `spec.organization=${value}` });
    if (selected.kind !== 'refused' || selected.code !== 400) return selected;
    return await listPages(api, path, signal);
  }

  async function isTaken(id: ConfigId): Promise<boolean> {
    return (await api.request({ path: pathOf(id), signal })).kind === 'ok';
  }

  async function chooseName(name: string, organization: string, endpoint: string): Promise<string> {
    if (name !== '') return name;
    for (let attempt = 1; attempt < maxNames; attempt++) {
      const candidate = makeName(organization, endpoint, attempt);
      if (!(await isTaken({ namespace: createNamespace, name: candidate }))) return candidate;
    }
    return makeName(organization, endpoint, maxNames);
  }

  /** With its Secrets, or not at all. */
  async function createWhole(id: ConfigId, plan: DraftPlan): Promise<EditorResult<ConfigId>> {
    const { namespace, name } = id;
    const possible = await secrets.tryWrite(namespace, plan.secrets);
    if (possible.kind !== 'ok') return possible;
    const said = [...listUnits(plan.spec)].filter(([unit, value]) => !isDefault(unit, value));
    const created = await createConfig(api, { namespace, name, spec: buildSpec(said) }, signal);
    if (created.kind !== 'ok') {
      if (!isVersionConflict(created)) {
        return toRefusal(created, { verb: 'create', resource: 'configs', namespace });
      }
      const message = `metadata.name is "${name}", which is taken in namespace ${namespace}: choose another one.`;
      return { kind: 'invalid', problems: [{ field: 'name', message }] };
    }
    const object = readObject(created.body);
    if (object === null)
      return { kind: 'unavailable', reason: 'The API server answered with no object: try again.' };
    const written = await secrets.write(object, plan.secrets);
    if (written.kind === 'ok') return { kind: 'ok', value: id };
    return await takeBack(object, plan, written);
  }

  async function takeBack<T>(
    object: KubeObject,
    plan: DraftPlan,
    failure: EditorResult<T>,
  ): Promise<EditorResult<T>> {
    await secrets.remove(
      object,
      plan.secrets.map(({ name }) => name),
    );
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const found = await api.request({ path: pathOf(object.metadata), signal });
      const now = found.kind === 'ok' ? readObject(found.body) : null;
      if (now === null || now.metadata.uid !== object.metadata.uid) break;
      if ((await removeConfig(api, now, signal)).kind === 'ok') return failure;
    }
    const { namespace, name } = object.metadata;
    const reason = `${namespace}/${name} may have been made without the values of its headers and certificates: it sends nothing like this, so open it and enter them again.`;
    return { kind: 'unavailable', reason };
  }

  return {
    async list(organization) {
      const answer = await listObjects(organization);
      if (answer.kind !== 'ok')
        return toRefusal(answer, { verb: 'list', resource: 'configs', namespace: only });
      const own = answer.body.objects.filter((object) => organizationOf(object) === organization);
      return { kind: 'ok', value: own.map(toEditable).toSorted(byName) };
    },

    async read(organization, id) {
      const found = await find(organization, id);
      if (found.kind === 'gone') return { kind: 'ok', value: null };
      return found.kind === 'ok' ? { kind: 'ok', value: toEditable(found.value) } : found;
    },

    async resolve(draft) {
      let stored: Pick<Target, 'stored' | 'isEndpointTyped'> = NEW;
      if (draft.id !== null) {
        const found = await find(draft.organization, draft.id);
        if (found.kind !== 'ok') return found;
        stored = targetOf(found.value);
      }
      const namespace = draft.id?.namespace ?? createNamespace;
      const name = draft.id?.name ?? (draft.name || makeName(draft.organization, draft.endpoint, 1));
      try {
        return await resolveDraft(draft, { namespace, name, ...stored }, makeLiveSecrets(api, signal));
      } catch (error) {
        if (!(error instanceof LiveSecretsError)) throw error;
        return toRefusal(error.failure, { verb: 'get', resource: 'secrets', namespace });
      }
    },

    async create(draft) {
      const name = await chooseName(draft.name, draft.organization, draft.endpoint);
      const id = { namespace: createNamespace, name };
      const judged = await judgeDraft(draft, { ...id, ...NEW });
      return judged.kind === 'invalid' ? judged : await createWhole(id, judged.plan);
    },

    async update(id, draft, revision) {
      let plan: DraftPlan | null = null;
      /** Has the keys of `plan` in its Secrets already. */
      let prepared: KubeObject | null = null;
      const changed = await changeSpec(
        api,
        {
          read: () => find(draft.organization, id),
          async decide(object) {
            if (revisionOf(object) !== revision)
              return { kind: 'changed-meanwhile', current: toEditable(object) };
            if (plan === null) {
              const judged = await judgeDraft(draft, { ...id, ...targetOf(object) });
              if (judged.kind === 'invalid') return judged;
              plan = judged.plan;
            }
            return { kind: 'ok', value: listUnits(plan.spec) };
          },
          async prepare(object) {
            prepared = object;
            const written = await secrets.write(object, plan?.secrets ?? []);
            return written.kind === 'ok' ? { kind: 'ok', value: undefined } : written;
          },
        },
        signal,
      );
      if (changed.kind === 'ok') {
        await secrets.prune(changed.value.after, givenUp(changed.value));
        return { kind: 'ok', value: id };
      }
      // Without an answer the spec may refer to them by now.
      if (prepared !== null && changed.kind !== 'unavailable')
        await secrets.prune(prepared, listNewRefs(plan));
      return changed;
    },

    async setSuspended(organization, id, suspend) {
      const changed = await changeSpec(
        api,
        {
          read: () => find(organization, id),
          async decide(object) {
            return { kind: 'ok', value: new Map([...listUnits(object.raw['spec']), ['suspend', suspend]]) };
          },
        },
        signal,
      );
      return changed.kind === 'ok' ? { kind: 'ok', value: undefined } : changed;
    },

    async tryAgain(organization, id) {
      const found = await find(organization, id);
      if (found.kind !== 'ok') return found;
      const { uid, annotations } = found.value.metadata;
      const before = annotations[RECONCILE_AT_ANNOTATION];
      const now = new Date().toISOString();
      const value = {
        metadata: { uid, annotations: { [RECONCILE_AT_ANNOTATION]: now === before ? `${now}+` : now } },
      };
      const answer = await api.request({
        method: 'PATCH',
        path: pathOf(id),
        query: { fieldManager: PAGE_FIELD_MANAGER },
        body: { contentType: 'application/merge-patch+json', value },
        signal,
      });
      if (answer.kind === 'ok') return { kind: 'ok', value: undefined };
      // Another uid: it was deleted and made again.
      if (answer.kind === 'refused' && answer.code === 409) return { kind: 'gone' };
      return toRefusal(answer, { verb: 'patch', resource: 'configs', namespace: id.namespace });
    },

    async remove(organization, id, revision) {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const found = await find(organization, id);
        if (found.kind !== 'ok') return found;
        const object = found.value;
        if (revisionOf(object) !== revision)
          return { kind: 'changed-meanwhile', current: toEditable(object) };
        const removed = await removeConfig(api, object, signal);
        if (removed.kind === 'conflict') continue;
        if (removed.kind !== 'ok') return removed;
        const names = listPageRefs(object.raw['spec'], id.name).map(({ name }) => name);
        await secrets.remove(object, [...new Set(names)]);
        return { kind: 'ok', value: undefined };
      }
      return { kind: 'unavailable', reason: BUSY };
    },
  };
}

const NEW = { stored: null, isEndpointTyped: true } as const;

function targetOf(object: KubeObject): Pick<Target, 'stored' | 'isEndpointTyped'> {
  return { stored: object.raw['spec'], isEndpointTyped: isEndpointTyped(object) };
}

function givenUp({ before, after }: Changed): SecretKeyRef[] {
  const { name } = after.metadata;
  return listGivenUp(listPageRefs(before.raw['spec'], name), listPageRefs(after.raw['spec'], name));
}

function listNewRefs(plan: DraftPlan | null): SecretKeyRef[] {
  return (plan?.secrets ?? []).flatMap(({ name, data }) => [...data.keys()].map((key) => ({ name, key })));
}

function pathOf({ namespace, name }: ConfigId): string {
  return `${collectionPath(namespace)}/${name}`;
}

/** Safe as segments of a path. */
function isPossible({ namespace, name }: ConfigId): boolean {
  return (
    namespace.length <= 63 &&
    NAMESPACE_PATTERN.test(namespace) &&
    name.length <= 253 &&
    OBJECT_NAME_PATTERN.test(name)
  );
}

function byName({ id: a }: EditableConfig, { id: b }: EditableConfig): number {
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1;
}
