/**
 * The page's way to change AuditExportConfigs, in any store: what may be created, changed and deleted, and under which name.
 *
 * Everything is read when it is asked for, so that what was saved is there the next time, whichever replica saved it.
 *
 * Not here: the order of writes, and what a conflict leads to (changeManifest.ts).
 */
import {
  type BeforeWrite,
  type ConfigDraft,
  type ConfigEditor,
  type ConfigId,
  type EditableConfig,
  type EditorResult,
  nothingBefore,
} from '../configEditor.ts';
import {
  busy,
  changeManifest,
  maxAttempts,
  saveSpec,
  toEditable,
  type WantedSpec,
} from './changeManifest.ts';
import { describeOwner } from './describeOwner.ts';
import { judgeDraft, resolveDraft, type Target } from './judgeDraft.ts';
import { addMark, makeName } from './makeName.ts';
import type { ManifestStore, StoredManifest } from './manifestStore.ts';
import type { DraftPlan } from './planDraft.ts';
import { listUnits } from './specUnits.ts';

const maxNames = 20;
const newConfig = { stored: null, isEndpointTyped: true } as const;

export class ManifestEditor<Source> implements ConfigEditor {
  readonly #store: ManifestStore<Source>;

  constructor(store: ManifestStore<Source>) {
    this.#store = store;
  }

  list(organization: string): Promise<EditorResult<readonly EditableConfig[]>> {
    return this.#store.run(async () => {
      const listed = await this.#store.list(organization);
      if (listed.kind !== 'ok') return listed;
      return { kind: 'ok', value: listed.value.map(toEditable).toSorted(byName) };
    });
  }

  read(organization: string, id: ConfigId): Promise<EditorResult<EditableConfig | null>> {
    return this.#store.run(async () => {
      const found = await this.#store.find(organization, id);
      if (found.kind === 'gone') return { kind: 'ok', value: null };
      return found.kind === 'ok' ? { kind: 'ok', value: toEditable(found.value) } : found;
    });
  }

  resolve(draft: ConfigDraft): ReturnType<ConfigEditor['resolve']> {
    const store = this.#store;
    return store.run(async () => {
      const { organization, id } = draft;
      const namespace = id?.namespace ?? store.createNamespace;
      const unbound = store.findBindingProblem(organization, namespace);
      if (unbound !== null) return { kind: 'refused', reason: unbound };
      const found = id === null ? null : await store.find(organization, id);
      if (found !== null && found.kind !== 'ok') return found;
      const stored = found === null ? newConfig : targetOf(found.value);
      const name = id?.name ?? firstName(draft);
      return await resolveDraft(draft, { namespace, name, ...stored }, store.makeSecretReader());
    });
  }

  create(draft: ConfigDraft, before: BeforeWrite = nothingBefore): Promise<EditorResult<ConfigId>> {
    const store = this.#store;
    return store.run<ConfigId>(async () => {
      const { organization } = draft;
      const namespace = store.createNamespace;
      const refusal = store.findBindingProblem(organization, namespace) ?? (await store.findReadOnly());
      if (refusal !== null) return { kind: 'refused', reason: refusal };
      const ask = askOnce(before);
      let name = await this.#chooseName(draft);
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const id = { namespace, name };
        const judged = await judgeDraft(draft, { ...id, ...newConfig });
        if (judged.kind === 'invalid') return judged;
        const holder = await store.findHolder(organization, id);
        if (holder === 'own') return this.#describeTaken(name);
        // Nobody is told of what another organization has.
        if (holder === 'foreign') name = addMark(firstName(draft));
        else {
          const created = await this.#create(id, judged.plan, ask);
          if (created.kind === 'ok') return { kind: 'ok', value: id };
          if (created.kind !== 'taken') return created;
        }
      }
      return { kind: 'unavailable', reason: busy };
    });
  }

  readonly update: ConfigEditor['update'] = async (id, draft, revision, before = nothingBefore) => {
    let wanted: WantedSpec | null = null;
    const decide = async (stored: StoredManifest<Source>): Promise<EditorResult<WantedSpec>> => {
      // Before anyone is asked to enter values again for an endpoint that cannot be changed here.
      const owner = stored.owners.get('endpoint');
      if (owner !== undefined && draft.endpoint !== listUnits(stored.spec).get('endpoint'))
        return { kind: 'refused', reason: describeOwner('spec.endpoint', owner) };
      if (wanted === null) {
        const judged = await judgeDraft(draft, { ...id, ...targetOf(stored) });
        if (judged.kind === 'invalid') return judged;
        wanted = { units: listUnits(judged.plan.spec), secrets: judged.plan.secrets };
      }
      return { kind: 'ok', value: wanted };
    };
    const saved = await saveSpec(this.#store, draft.organization, id, { revision, before, decide });
    return saved.kind === 'ok' ? { kind: 'ok', value: id } : saved;
  };

  readonly setSuspended: ConfigEditor['setSuspended'] = (
    organization,
    id,
    suspend,
    before = nothingBefore,
  ) => {
    const decide = async ({ spec }: StoredManifest<Source>): Promise<EditorResult<WantedSpec>> => {
      const units = new Map([...listUnits(spec), ['suspend', suspend]]);
      return { kind: 'ok', value: { units, secrets: [] } };
    };
    return saveSpec(this.#store, organization, id, { revision: null, before, decide });
  };

  readonly tryAgain: ConfigEditor['tryAgain'] = (organization, id, before = nothingBefore) => {
    const ask = askOnce(before);
    return changeManifest(this.#store, organization, id, null, async (stored) => {
      const agreed = await ask();
      if (agreed.kind !== 'ok') return agreed;
      const now = new Date().toISOString();
      return await this.#store.annotate(stored, now === stored.reconcileAt ? `${now}+` : now);
    });
  };

  readonly remove: ConfigEditor['remove'] = (organization, id, revision, before = nothingBefore) => {
    const ask = askOnce(before);
    return changeManifest(this.#store, organization, id, revision, async (stored) => {
      // It would come back with that manager's next sync.
      const manager = stored.owners.get('organization');
      if (manager !== undefined) {
        const reason = `${id.namespace}/${id.name} is managed by ${manager}: delete it there.`;
        return { kind: 'refused', reason };
      }
      const agreed = await ask();
      return agreed.kind === 'ok' ? await this.#store.remove(stored) : agreed;
    });
  };

  async #create(
    id: ConfigId,
    plan: DraftPlan,
    before: BeforeWrite,
  ): ReturnType<ManifestStore<Source>['create']> {
    const possible = await this.#store.checkCreate(id, plan);
    if (possible.kind !== 'ok') return possible;
    const agreed = await before();
    return agreed.kind === 'ok' ? await this.#store.create(id, plan) : agreed;
  }

  async #chooseName(draft: ConfigDraft): Promise<string> {
    const { organization, endpoint } = draft;
    if (draft.name !== '') return draft.name;
    const namespace = this.#store.createNamespace;
    for (let attempt = 1; attempt < maxNames; attempt++) {
      const name = makeName(organization, endpoint, attempt);
      if ((await this.#store.findHolder(organization, { namespace, name })) === 'nobody') return name;
    }
    return makeName(organization, endpoint, maxNames);
  }

  #describeTaken(name: string): EditorResult<never> {
    const complaint = `is "${name}", which is taken in ${this.#store.place}: choose another one`;
    return { kind: 'invalid', problems: [{ path: 'name', complaint }] };
  }
}

function targetOf({
  spec,
  isEndpointTyped,
}: StoredManifest<unknown>): Pick<Target, 'stored' | 'isEndpointTyped'> {
  return { stored: spec, isEndpointTyped };
}

function firstName({ name, organization, endpoint }: ConfigDraft): string {
  return name === '' ? makeName(organization, endpoint, 1) : name;
}

/** What has agreed is not asked again. */
function askOnce(before: BeforeWrite): BeforeWrite {
  let answer: ReturnType<BeforeWrite> | null = null;
  return () => (answer ??= before());
}

function byName({ id: a }: EditableConfig, { id: b }: EditableConfig): number {
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1;
}
