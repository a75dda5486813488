/** One manifest file as the page shows it. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { ExportStatus } from '../../../model/streamStatus.ts';
import type { EditableConfig } from '../../configEditor.ts';
import type { ConfigState } from '../../configSource.ts';
import { toEditableSpec } from '../../editor/editableSpec.ts';
import { isMap } from '../../editor/isMap.ts';
import { spell } from '../../editor/specUnits.ts';
import type { Assigned } from '../assignKeys.ts';

/** What was read of one manifest, all at the same time. */
export interface StoredManifest {
  readonly assigned: Assigned;
  readonly state: ConfigState | null;
  /** As its text says, also when it is wrong; of a text that cannot be read now, the last one that could. */
  readonly value: unknown;
  /** Why the file cannot be written; null: it can. */
  readonly readOnly: string | null;
}

export function specOf({ value }: StoredManifest): unknown {
  return isMap(value) ? value['spec'] : undefined;
}

export function organizationOf(manifest: StoredManifest): string | null {
  const spec = specOf(manifest);
  return isMap(spec) && typeof spec['organization'] === 'string' ? spec['organization'] : null;
}

export function toEditableConfig(manifest: StoredManifest, status: ExportStatus | null): EditableConfig {
  const { assigned, state, readOnly } = manifest;
  const { namespace, name, key } = assigned;
  return {
    id: { namespace, name },
    key,
    revision: revisionOf(manifest),
    spec: toEditableSpec(specOf(manifest), name),
    problems: state?.kind === 'invalid' ? state.problems : [],
    owners: new Map(),
    readOnly,
    status,
  };
}

/** Another one for each start, so that the revision, which leaves the process, lets no guess at a header be checked. */
const maskKey = randomBytes(32);

/** Of the spec as it means: whoever changes comments alone has changed nothing. */
export function revisionOf(manifest: StoredManifest): string {
  const { parsed, version } = manifest.assigned.file;
  // In a wrong manifest a value may stand anywhere.
  const isOpen = parsed.ok && parsed.manifest.spec.headers.every(({ value }) => value === undefined);
  const text = spell(parsed.ok ? parsed.manifest.spec : [version, specOf(manifest)]);
  const hash = isOpen ? createHash('sha256') : createHmac('sha256', maskKey);
  return hash.update(text).digest('hex').slice(0, 32);
}
