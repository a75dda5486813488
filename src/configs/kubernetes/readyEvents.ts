/** When the Ready condition turns, and what there is to tell then. */
import type { ExportStatus } from '../../model/streamStatus.ts';
import { findReady } from './clusterStatus.ts';
import type { ExportEvent } from './eventRecorder.ts';

/**
 * null: no news. Unknown is passed over, before and after: a start or a hand-over to another replica is no event.
 * `before` is the last status that said whether the export is ready.
 */
export function findEvent(status: ExportStatus, before: ExportStatus | null): ExportEvent | null {
  const ready = findReady(status);
  const readyBefore = findReady(before);
  if (ready === null || ready.status === 'Unknown') return null;
  if (readyBefore?.status === ready.status && readyBefore.reason === ready.reason) return null;
  const isFine = ready.status === 'True' || ready.reason === 'Suspended';
  return { type: isFine ? 'Normal' : 'Warning', reason: ready.reason, message: ready.message };
}
