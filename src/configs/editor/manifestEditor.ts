/**
 * The page's way to change AuditExportConfigs, in any store.
 *
 *   read → compare the revision → judge the draft → new keys of Secrets → the spec that refers to them → keys given up
 *
 * Everything is read when it is asked for, so that what was saved is there the next time, whichever replica saved it. When
 * the manifest changes between reading and writing, the change starts over from what is there then.
 */
import {
  type BeforeWrite,
  type ConfigDraft,
  type ConfigEditor,
  type ConfigId,
  done,
  type EditableConfig,
  type EditorResult,
  nothingBefore,
} from '../configEditor.ts';
import { describeOwner } from './describeOwner.ts';
import { toEditableSpec } from './editableSpec.ts';
import { judgeDraft, resolveDraft } from './judgeDraft.ts';
import { addMark, makeName } from './makeName.ts';
import type { ManifestStore, StoredManifest, Written } from './manifestStore.ts';
import type { PageSecret, SecretKeyRef } from './pageSecrets.ts';
import type { DraftPlan } from './planDraft.ts';
import { listGivenUp, listPageRefs } from './secretRefsOf.ts';
import { buildSpec, compareUnits, listUnits, type SpecUnits } from './specUnits.ts';

/** A status that is written every few seconds must not make a save fail. */
const maxAttempts = 8;
const maxNames = 20;
const busy = 'The config kept changing while it was being saved: try again.';
const newConfig = { stored: null, isEndpointTyped: true } as const;

interface WantedSpec {
  readonly units: SpecUnits;
  readonly secrets: readonly PageSecret[];
}

type Decide<Source> = (stored: StoredManifest<Source>) => Promise<EditorResult<WantedSpec>>;
type Work<Source> = (stored: StoredManifest<Source>) => Promise<Written>;

interface SpecChange<Source> {
  /** null: whatever stands is changed. */
  readonly revision: string | null;
  readonly before: BeforeWrite;
  readonly decide: Decide<Source>;
}

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
    const decide: Decide<Source> = async (stored) => {
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
    const saved = await this.#saveSpec(draft.organization, id, { revision, before, decide });
    return saved.kind === 'ok' ? { kind: 'ok', value: id } : saved;
  };

  readonly setSuspended: ConfigEditor['setSuspended'] = (
    organization,
    id,
    suspend,
    before = nothingBefore,
  ) => {
    const decide: Decide<Source> = async ({ spec }) => {
      const units = new Map([...listUnits(spec), ['suspend', suspend]]);
      return { kind: 'ok', value: { units, secrets: [] } };
    };
    return this.#saveSpec(organization, id, { revision: null, before, decide });
  };

  readonly tryAgain: ConfigEditor['tryAgain'] = (organization, id, before = nothingBefore) => {
    const ask = askOnce(before);
    return this.#change(organization, id, null, async (stored) => {
      const agreed = await ask();
      if (agreed.kind !== 'ok') return agreed;
      const now = new Date().toISOString();
      return await this.#store.annotate(stored, now === stored.reconcileAt ? `${now}+` : now);
    });
  };

  readonly remove: ConfigEditor['remove'] = (organization, id, revision, before = nothingBefore) => {
    const ask = askOnce(before);
    return this.#change(organization, id, revision, async (stored) => {
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

  #change(
    organization: string,
    id: ConfigId,
    revision: string | null,
    work: Work<Source>,
  ): Promise<EditorResult<void>> {
    return this.#store.run(async () => toResult(await this.#attempt(organization, id, revision, work)));
  }

  /** Reads and works, again after each conflict; that it never ended without one is the last conflict. `revision` null: any. */
  async #attempt(
    organization: string,
    id: ConfigId,
    revision: string | null,
    work: Work<Source>,
  ): Promise<Written> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const found = await this.#store.find(organization, id);
      if (found.kind !== 'ok') return found;
      const stored = found.value;
      if (stored.readOnly !== null) return { kind: 'refused', reason: stored.readOnly };
      if (revision !== null && stored.revision !== revision)
        return { kind: 'changed-meanwhile', current: toEditable(stored) };
      const written = await work(stored);
      if (written.kind !== 'conflict') return written;
    }
    return { kind: 'conflict' };
  }

  /** `decide` is asked again after each conflict; `before` is asked, and Secrets are written, once. */
  #saveSpec(
    organization: string,
    id: ConfigId,
    { revision, before, decide }: SpecChange<Source>,
  ): Promise<EditorResult<void>> {
    const store = this.#store;
    return store.run(async () => {
      const prepared: Array<{ stored: StoredManifest<Source>; refs: SecretKeyRef[] }> = [];
      const prepare = async (stored: StoredManifest<Source>, secrets: readonly PageSecret[]) => {
        const agreed = await before();
        if (agreed.kind !== 'ok') return agreed;
        prepared.push({ stored, refs: secrets.flatMap(listKeys) });
        return await store.writeSecrets(stored, secrets);
      };
      let result: Written | null = null;
      try {
        result = await this.#attempt(organization, id, revision, async (stored) => {
          const decided = await decide(stored);
          if (decided.kind !== 'ok') return decided;
          const { units, secrets } = decided.value;
          const { changed, removed } = compareUnits(listUnits(stored.spec), units);
          if (changed.length + removed.length === 0) return done;
          const reason = store.findObstacle(stored, units);
          if (reason !== null) return { kind: 'refused', reason };
          const ready = prepared.length > 0 ? done : await prepare(stored, secrets);
          if (ready.kind !== 'ok') return ready;
          const saved = await store.replace(stored, units);
          if (saved.kind === 'ok') await this.#dropGivenUp(stored, units);
          return saved;
        });
        return toResult(result);
      } finally {
        // Without an answer the spec may refer to them by now.
        const isKept = result?.kind === 'ok' || result?.kind === 'unavailable';
        for (const { stored, refs } of isKept ? [] : prepared) await store.dropSecrets(stored, refs);
      }
    });
  }

  async #dropGivenUp(stored: StoredManifest<Source>, units: SpecUnits): Promise<void> {
    const { name } = stored.id;
    const after = listPageRefs(buildSpec(units), name);
    await this.#store.dropSecrets(stored, listGivenUp(listPageRefs(stored.spec, name), after));
  }

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

function toResult(written: Written): EditorResult<void> {
  return written.kind === 'conflict' ? { kind: 'unavailable', reason: busy } : written;
}

function toEditable<Source>(stored: StoredManifest<Source>): EditableConfig {
  const { id, key, revision, spec, problems, owners, readOnly, status } = stored;
  return { id, key, revision, spec: toEditableSpec(spec, id.name), problems, owners, readOnly, status };
}

function targetOf({ spec: stored, isEndpointTyped }: StoredManifest<unknown>) {
  return { stored, isEndpointTyped };
}

function firstName({ name, organization, endpoint }: ConfigDraft): string {
  return name === '' ? makeName(organization, endpoint, 1) : name;
}

function listKeys({ name, data }: PageSecret): SecretKeyRef[] {
  return [...data.keys()].map((key) => ({ name, key }));
}

/** What has agreed is not asked again. */
function askOnce(before: BeforeWrite): BeforeWrite {
  let answer: ReturnType<BeforeWrite> | null = null;
  return () => (answer ??= before());
}

function byName({ id: a }: EditableConfig, { id: b }: EditableConfig): number {
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1;
}
