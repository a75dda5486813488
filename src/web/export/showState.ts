/** GET …/export/:id/state: how the destination is doing, polled while the drawer is open. Nothing else is replaced. */
import { sendFragment } from '../reply/reply.ts';
import type { Visit } from '../visit.ts';
import { loadDestination } from './destinations.ts';
import { loadState } from './sendForm.ts';

/** When it cannot be told, what is shown stays: 204 replaces nothing. */
export async function showState(visit: Visit): Promise<void> {
  const loaded = await loadDestination(visit);
  if (loaded.kind !== 'found') visit.response.status(204).end();
  else sendFragment(visit, 'export/state', await loadState(visit, loaded.destination));
}
