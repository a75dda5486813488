/** Decides which Events to write: when the Ready condition changes, or a new remark appears. */
import type { Remark } from '../../model/exportConfig.ts';
import type { ExportStatus } from '../../model/streamStatus.ts';
import { findReady } from './clusterStatus.ts';
import type { ExportEvent } from './eventRecorder.ts';

/**
 * Empty: nothing has changed. Unknown is skipped, before and after: a start or a hand-over to another replica is not an event.
 * `before` is the last status that said whether the export is ready; `remarks` are those of the config in force.
 */
export function findEvents(
  status: ExportStatus,
  before: ExportStatus | null,
  remarks: readonly Remark[] = [],
): ExportEvent[] {
  const ready = findReady(status);
  const readyBefore = findReady(before);
  if (ready === null || ready.status === 'Unknown') return [];
  const isFine = ready.status === 'True' || ready.reason === 'Suspended';
  const isTurned = readyBefore?.status !== ready.status || readyBefore.reason !== ready.reason;
  const warnings = remarks
    .filter(({ message }) => ready.message.includes(message) && !readyBefore?.message.includes(message))
    .map(({ reason, message }) => ({ type: 'Warning' as const, reason, message }));
  return [
    ...(isTurned
      ? [
          {
            type: isFine ? ('Normal' as const) : ('Warning' as const),
            reason: ready.reason,
            message: ready.message,
          },
        ]
      : []),
    ...warnings,
  ];
}
