/** Reads a whole collection, page by page; all pages show the same moment. */

import { isMap } from '../../basics/isMap.ts';
import type { ApiAnswer } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { type KubeObject, readObject } from './kubeObject.ts';

export interface Snapshot {
  readonly objects: readonly KubeObject[];
  /** Where a watch goes on from; empty: wherever it is now, existing objects first. */
  readonly resourceVersion: string;
}

/** As client-go. */
const pageSize = 500;

/** All or nothing: half a list would look like deletions. A list that expires while it is read is refused with 410. */
export async function listPages(
  api: Pick<ApiClient, 'request'>,
  path: string,
  signal: AbortSignal,
  options: { readonly metadataOnly?: boolean; readonly selectors?: Readonly<Record<string, string>> } = {},
): Promise<ApiAnswer<Snapshot>> {
  const { metadataOnly = false, selectors = {} } = options;
  const objects: KubeObject[] = [];
  let next = '';
  do {
    const query = { ...selectors, limit: String(pageSize), ...(next === '' ? {} : { continue: next }) };
    const answer = await api.request({ path, query, signal, metadataOnly });
    if (answer.kind !== 'ok') return answer;
    const { body } = answer;
    const metadata = isMap(body) ? body['metadata'] : undefined;
    const items = isMap(body) ? body['items'] : undefined;
    if (!isMap(metadata) || typeof metadata['resourceVersion'] !== 'string' || !Array.isArray(items)) {
      return { kind: 'unreachable', message: 'the answer is not a list' };
    }
    for (const item of items) {
      const object = readObject(item);
      if (object === null) return { kind: 'unreachable', message: 'an item of the list is not an object' };
      objects.push(object);
    }
    next = typeof metadata['continue'] === 'string' ? metadata['continue'] : '';
    if (next === '') return { kind: 'ok', body: { objects, resourceVersion: metadata['resourceVersion'] } };
  } while (!signal.aborted);
  return { kind: 'aborted' };
}
