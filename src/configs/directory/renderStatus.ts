/** The text of a status file: as `kubectl get -o yaml` would show it, without the spec. */
import { parse, stringify } from 'yaml';
import { isMap } from '../../basics/isMap.ts';
import type { ExportStatus } from '../../model/streamStatus.ts';
import { configApiVersion, configKind } from '../schema.ts';

/** The first line of every status file; what does not begin with it is not ours to delete. */
export const statusMark = '# Written by Audit Export';

export function renderStatus(
  identity: { readonly namespace: string; readonly name: string; readonly file: string },
  status: ExportStatus,
): string {
  const { namespace, name, file } = identity;
  const document = { apiVersion: configApiVersion, kind: configKind, metadata: { name, namespace }, status };
  // YAML 1.1 quotes what older readers would take for a time or a boolean; lines stay whole, for grep.
  const text = stringify(document, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
  return `${statusMark} beside ${file}; changes here are overwritten.\n${text}`;
}

/** Of such a text; null: it is none. */
export function parseStatus(text: string | null): ExportStatus | null {
  if (!text?.startsWith(statusMark)) return null;
  try {
    const document: unknown = parse(text);
    const status = isMap(document) ? document['status'] : undefined;
    if (!isMap(status) || !Array.isArray(status['conditions'])) return null;
    return status as unknown as ExportStatus;
  } catch {
    return null;
  }
}
