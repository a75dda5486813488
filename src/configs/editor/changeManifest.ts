/**
 * Changes one manifest of a store: reads it, decides, and writes; after a conflict it starts over from what is there then.
 *
 *   read → compare the revision → new keys of Secrets → the spec that refers to them → keys given up
 */
import type { BeforeWrite, ConfigId, EditableConfig, EditorResult } from '../configEditor.ts';
import { toEditableSpec } from './editableSpec.ts';
import type { ManifestStore, StoredManifest, Written } from './manifestStore.ts';
import type { PageSecret, SecretKeyRef } from './pageSecrets.ts';
import { listGivenUp, listPageRefs } from './secretRefsOf.ts';
import { buildSpec, compareUnits, listUnits, type SpecUnits } from './specUnits.ts';

export interface WantedSpec {
  readonly units: SpecUnits;
  readonly secrets: readonly PageSecret[];
}

interface SpecChange<Source> {
  /** null: whatever stands is changed. */
  readonly revision: string | null;
  readonly before: BeforeWrite;
  readonly decide: (stored: StoredManifest<Source>) => Promise<EditorResult<WantedSpec>>;
}

/** A status that is written every few seconds must not make a save fail. */
export const maxAttempts = 8;
export const busy = 'The config kept changing while it was being saved: try again.';
const done = { kind: 'ok', value: undefined } as const;

/** Calls `work` with the manifest as it is, again after each conflict. `revision` null: any will do. */
export function changeManifest<Source>(
  store: ManifestStore<Source>,
  organization: string,
  id: ConfigId,
  revision: string | null,
  work: (stored: StoredManifest<Source>) => Promise<Written>,
): Promise<EditorResult<void>> {
  return store.run(async () => toResult(await attempt(store, organization, id, revision, work)));
}

/** `decide` is asked again after each conflict; `before` is asked, and Secrets are written, once. */
export function saveSpec<Source>(
  store: ManifestStore<Source>,
  organization: string,
  id: ConfigId,
  { revision, before, decide }: SpecChange<Source>,
): Promise<EditorResult<void>> {
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
      result = await attempt(store, organization, id, revision, async (stored) => {
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
        if (saved.kind === 'ok') await store.dropSecrets(stored, listDropped(stored, units));
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

/** The last conflict, when each attempt ended with one. */
async function attempt<Source>(
  store: ManifestStore<Source>,
  organization: string,
  id: ConfigId,
  revision: string | null,
  work: (stored: StoredManifest<Source>) => Promise<Written>,
): Promise<Written> {
  for (let count = 0; count < maxAttempts; count++) {
    const found = await store.find(organization, id);
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

function toResult(written: Written): EditorResult<void> {
  return written.kind === 'conflict' ? { kind: 'unavailable', reason: busy } : written;
}

export function toEditable<Source>(stored: StoredManifest<Source>): EditableConfig {
  const { id, key, revision, spec, problems, owners, readOnly, status } = stored;
  return { id, key, revision, spec: toEditableSpec(spec, id.name), problems, owners, readOnly, status };
}

function listKeys({ name, data }: PageSecret): SecretKeyRef[] {
  return [...data.keys()].map((key) => ({ name, key }));
}

/** The keys that the spec refers to now, and no longer will. */
function listDropped({ id, spec }: StoredManifest<unknown>, units: SpecUnits): SecretKeyRef[] {
  return listGivenUp(listPageRefs(spec, id.name), listPageRefs(buildSpec(units), id.name));
}
