/** GET …/export/:id/state: how the destination fares, asked for while the drawer is open. Nothing but that is replaced. */
import { sendFragment } from '../reply/reply.ts';
import type { Visit } from '../visit.ts';
import { configIdOf } from './frame.ts';
import { loadDestination, loadState } from './load.ts';

/** When it cannot be said, what is shown stays: 204 replaces nothing. */
export async function showState(visit: Visit): Promise<void> {
  const loaded = await loadDestination(visit, configIdOf(visit));
  if (loaded.kind !== 'found') {
    visit.response.status(204).end();
    return;
  }
  sendFragment(visit, 'export/state', await loadState(visit, loaded.destination));
}
