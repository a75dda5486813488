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
import {
  type BeforeWrite,
  type ConfigEditor,
  type ConfigId,
  type EditableConfig,
  type EditorResult,
  nothingBefore,
} from '../../configEditor.ts';
import type { ConfigState } from '../../configSource.ts';
import { judgeDraft, resolveDraft, type Target } from '../../editor/judgeDraft.ts';
import { addMark, makeName } from '../../editor/makeName.ts';
import type { SecretKeyRef } from '../../editor/pageSecrets.ts';
import type { DraftPlan } from '../../editor/planDraft.ts';
import { listGivenUp, listPageRefs } from '../../editor/secretRefsOf.ts';
import { buildSpec, isDefault, listUnits } from '../../editor/specUnits.ts';
import { findBindingProblem } from '../../organizationBindings.ts';
import { namespacePattern, objectNamePattern } from '../../schema/names.ts';
import { reconcileAtAnnotation } from '../../schema.ts';
import type { ApiAnswer } from '../apiAnswer.ts';
import type { ApiClient } from '../apiClient.ts';
import type { ClusterRules } from '../clusterRules.ts';
import { type KubeObject, readObject } from '../kubeObject.ts';
import { listPages, type Snapshot } from '../listPages.ts';
import { collectionPath, pageFieldManager } from '../resource.ts';
import { describeOwner, isVersionConflict, toRefusal } from './describeRefusal.ts';
import { organizationOf, revisionOf, toEditableConfig } from './editableConfig.ts';
import { isEndpointTyped, readOwnership } from './fieldOwners.ts';
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
  readonly rules: ClusterRules;
  /** How the source has judged the config of that uid; null: not yet. */
  readonly stateOf: (uid: string) => ConfigState | null;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

const busy = 'The config was changed by others again and again meanwhile: try again.';
const maxNames = 20;
const maxAttempts = 5;

export function makeKubernetesEditor(options: KubernetesEditorOptions): ConfigEditor {
  const { api, namespace: only, createNamespace, rules, stateOf, signal } = options;
  const secrets = makePageSecretStore(api, signal);

  const toEditable = (object: KubeObject) => toEditableConfig(object, stateOf(object.metadata.uid));

  /** The collector would refuse it: nothing is saved that cannot work. */
  function refuseUnbound(
    organization: string,
    namespace: string,
  ): { readonly kind: 'refused'; readonly reason: string } | null {
    const reason = findBindingProblem(rules.organizations, namespace, organization);
    return reason === null ? null : { kind: 'refused', reason };
  }

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
  async function createWhole(
    id: ConfigId,
    plan: DraftPlan,
    before: BeforeWrite,
  ): Promise<EditorResult<ConfigId> | { readonly kind: 'taken' }> {
    const { namespace, name } = id;
    const possible = await secrets.tryWrite(namespace, plan.secrets);
    if (possible.kind !== 'ok') return possible;
    const agreed = await before();
    if (agreed.kind !== 'ok') return agreed;
    const said = [...listUnits(plan.spec)].filter(([unit, value]) => !isDefault(unit, value));
    const created = await createConfig(api, { namespace, name, spec: buildSpec(said) }, signal);
    if (created.kind !== 'ok') {
      if (!isVersionConflict(created)) {
        return toRefusal(created, { verb: 'create', resource: 'configs', namespace });
      }
      return { kind: 'taken' };
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
      const unbound = refuseUnbound(draft.organization, draft.id?.namespace ?? createNamespace);
      if (unbound !== null) return unbound;
      let stored: Pick<Target, 'stored' | 'isEndpointTyped'> = newConfig;
      if (draft.id !== null) {
        const found = await find(draft.organization, draft.id);
        if (found.kind !== 'ok') return found;
        stored = targetOf(found.value);
      }
      const namespace = draft.id?.namespace ?? createNamespace;
      const name = draft.id?.name ?? (draft.name || makeName(draft.organization, draft.endpoint, 1));
      try {
        return await resolveDraft(
          draft,
          { namespace, name, ...stored },
          makeLiveSecrets(api, rules.secrets, signal),
        );
      } catch (error) {
        if (!(error instanceof LiveSecretsError)) throw error;
        return toRefusal(error.failure, { verb: 'get', resource: 'secrets', namespace });
      }
    },

    async create(draft, before = nothingBefore) {
      const unbound = refuseUnbound(draft.organization, createNamespace);
      if (unbound !== null) return unbound;
      const ask = askOnce(before);
      let name = await chooseName(draft.name, draft.organization, draft.endpoint);
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const id = { namespace: createNamespace, name };
        const judged = await judgeDraft(draft, { ...id, ...newConfig });
        if (judged.kind === 'invalid') return judged;
        const created = await createWhole(id, judged.plan, ask);
        if (created.kind !== 'taken') return created;
        const own = await find(draft.organization, id);
        if (own.kind === 'ok') return describeTaken(id);
        if (own.kind !== 'gone') return own;
        // Of another organization, which is nobody's business.
        name = addMark(draft.name || makeName(draft.organization, draft.endpoint, 1));
      }
      return { kind: 'unavailable', reason: busy };
    },

    async update(id, draft, revision, before = nothingBefore) {
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
            // Before anything that is asked for in vain.
            const owner = readOwnership(object).get('endpoint')?.manager ?? null;
            if (owner !== null && draft.endpoint !== listUnits(object.raw['spec']).get('endpoint'))
              return { kind: 'refused', reason: describeOwner('spec.endpoint', owner) };
            if (plan === null) {
              const judged = await judgeDraft(draft, { ...id, ...targetOf(object) });
              if (judged.kind === 'invalid') return judged;
              plan = judged.plan;
            }
            return { kind: 'ok', value: listUnits(plan.spec) };
          },
          async prepare(object) {
            const agreed = await before();
            if (agreed.kind !== 'ok') return agreed;
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

    async setSuspended(organization, id, suspend, before = nothingBefore) {
      const changed = await changeSpec(
        api,
        {
          read: () => find(organization, id),
          async decide(object) {
            return { kind: 'ok', value: new Map([...listUnits(object.raw['spec']), ['suspend', suspend]]) };
          },
          prepare: before,
        },
        signal,
      );
      return changed.kind === 'ok' ? { kind: 'ok', value: undefined } : changed;
    },

    async tryAgain(organization, id, before = nothingBefore) {
      const found = await find(organization, id);
      if (found.kind !== 'ok') return found;
      const agreed = await before();
      if (agreed.kind !== 'ok') return agreed;
      const { uid, annotations } = found.value.metadata;
      const last = annotations[reconcileAtAnnotation];
      const now = new Date().toISOString();
      const value = {
        metadata: { uid, annotations: { [reconcileAtAnnotation]: now === last ? `${now}+` : now } },
      };
      const answer = await api.request({
        method: 'PATCH',
        path: pathOf(id),
        query: { fieldManager: pageFieldManager },
        body: { contentType: 'application/merge-patch+json', value },
        signal,
      });
      if (answer.kind === 'ok') return { kind: 'ok', value: undefined };
      // Another uid: it was deleted and made again.
      if (answer.kind === 'refused' && answer.code === 409) return { kind: 'gone' };
      return toRefusal(answer, { verb: 'patch', resource: 'configs', namespace: id.namespace });
    },

    async remove(organization, id, revision, before = nothingBefore) {
      const ask = askOnce(before);
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const found = await find(organization, id);
        if (found.kind !== 'ok') return found;
        const object = found.value;
        if (revisionOf(object) !== revision)
          return { kind: 'changed-meanwhile', current: toEditable(object) };
        const agreed = await ask();
        if (agreed.kind !== 'ok') return agreed;
        const removed = await removeConfig(api, object, signal);
        if (removed.kind === 'conflict') continue;
        if (removed.kind !== 'ok') return removed;
        const names = listPageRefs(object.raw['spec'], id.name).map(({ name }) => name);
        await secrets.remove(object, [...new Set(names)]);
        return { kind: 'ok', value: undefined };
      }
      return { kind: 'unavailable', reason: busy };
    },
  };
}

function describeTaken({ namespace, name }: ConfigId): EditorResult<never> {
  const complaint = `is "${name}", which is taken in namespace ${namespace}: choose another one`;
  return { kind: 'invalid', problems: [{ path: 'name', complaint }] };
}

/** What has agreed is not asked again. */
function askOnce(before: BeforeWrite): BeforeWrite {
  let answer: ReturnType<BeforeWrite> | null = null;
  return () => (answer ??= before());
}

const newConfig = { stored: null, isEndpointTyped: true } as const;

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
    namespacePattern.test(namespace) &&
    name.length <= 253 &&
    objectNamePattern.test(name)
  );
}

function byName({ id: a }: EditableConfig, { id: b }: EditableConfig): number {
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1;
}
