/** One manifest file as the editor works with it. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isMap } from '../../../basics/isMap.ts';
import { spell } from '../../../basics/spell.ts';
import type { ExportStatus } from '../../../model/streamStatus.ts';
import type { ConfigState } from '../../configSource.ts';
import type { StoredManifest } from '../../editor/manifestStore.ts';
import { isTypedOnPage } from '../../editor/savedFor.ts';
import { reconcileAtAnnotation } from '../../schema.ts';
import type { Assigned } from '../assignKeys.ts';

/** What was read of one manifest, all at the same time. */
export interface ReadManifest {
  readonly assigned: Assigned;
  readonly state: ConfigState | null;
  /** What its text says, right or wrong; when the text cannot be parsed now, what the last one that could be parsed said. */
  readonly value: unknown;
}

export function organizationOf(manifest: ReadManifest): string | null {
  const spec = specOf(manifest);
  return isMap(spec) && typeof spec['organization'] === 'string' ? spec['organization'] : null;
}

/** `readOnly`: why the file cannot be written; null: it can. */
export function toStored(
  manifest: ReadManifest,
  { readOnly, status }: { readonly readOnly: string | null; readonly status: ExportStatus | null },
): StoredManifest<ReadManifest> {
  const { assigned, state } = manifest;
  const { namespace, name, key, file } = assigned;
  const parsed = file.parsed.ok ? file.parsed.manifest : null;
  return {
    id: { namespace, name },
    key,
    revision: revisionOf(manifest),
    spec: specOf(manifest),
    isEndpointTyped: parsed !== null && isTypedOnPage(parsed),
    reconcileAt: parsed?.metadata.annotations?.[reconcileAtAnnotation],
    problems: state?.kind === 'invalid' ? state.problems : [],
    owners: new Map(),
    readOnly,
    status,
    source: manifest,
  };
}

function specOf({ value }: ReadManifest): unknown {
  return isMap(value) ? value['spec'] : undefined;
}

/** Random per process, so that nobody can test guesses of a header's value against the revision, which is published. */
const maskKey = randomBytes(32);

/** Covers what the spec means: a change of comments alone is no change. */
function revisionOf(manifest: ReadManifest): string {
  const { parsed, version } = manifest.assigned.file;
  // In a wrong manifest a value may stand anywhere.
  const isOpen = parsed.ok && parsed.manifest.spec.headers.every(({ value }) => value === undefined);
  const text = spell(parsed.ok ? parsed.manifest.spec : [version, specOf(manifest)]);
  const hash = isOpen ? createHash('sha256') : createHmac('sha256', maskKey);
  return hash.update(text).digest('hex').slice(0, 32);
}
