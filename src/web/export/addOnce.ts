/**
 * A form that is posted twice adds one destination: without JavaScript a double click sends it again before the first answer is there.
 *
 * The process that has the first post knows this, for ten minutes. A second post that reaches another replica adds another one.
 */
import { createHash } from 'node:crypto';
import type { ConfigId } from '../../configs/configEditor.ts';
import type { Visit } from '../visit.ts';

const keptMs = 600_000;

const added = new Map<string, Promise<ConfigId | null>>();

/**
 * @param add answers, and resolves with what it added; null: nothing, so the same form may try again.
 * @param repeat answers to a form that has added `id` before.
 */
export async function addOnce(
  visit: Visit,
  add: () => Promise<ConfigId | null>,
  repeat: (id: ConfigId) => Promise<void>,
): Promise<void> {
  const key = keyOf(visit);
  if (key === null) {
    await add();
    return;
  }
  for (let earlier = added.get(key); earlier !== undefined; earlier = added.get(key)) {
    const id = await earlier.catch(() => null);
    if (id !== null) return await repeat(id);
  }
  const adding = add().then(
    (id) => {
      if (id === null) added.delete(key);
      else setTimeout(() => added.delete(key), keptMs).unref();
      return id;
    },
    (error: unknown) => {
      added.delete(key);
      throw error;
    },
  );
  added.set(key, adding);
  await adding;
}

/** What was typed counts too: who goes back in the browser and changes it wants another one. null: no form of the page. */
function keyOf({ organization, viewer, request }: Visit): string | null {
  const body: Readonly<Record<string, unknown>> = request.body ?? {};
  if (!body['formId']) return null;
  return createHash('sha256')
    .update(JSON.stringify([organization, viewer.id, body]))
    .digest('base64');
}
