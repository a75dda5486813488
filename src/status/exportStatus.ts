/**
 * Decides whether this replica writes an export's status now, and which.
 *
 * Not here: what a status says (conditions.ts), when it is written (publisher.ts).
 */
import type { StreamHealth } from '../model/streamHealth.ts';
import type { ExportStatus } from '../model/streamStatus.ts';
import { type ExportState, inForce, makeStatus } from './conditions.ts';

export type StatusDecision =
  | { readonly kind: 'write'; readonly status: ExportStatus }
  /** Another replica writes it: whatever this one knows of the status may be old by the time the stream is back here. */
  | { readonly kind: 'not-ours' }
  /** The status of before stands until there is news. */
  | { readonly kind: 'stands' };

export function decideStatus(
  state: ExportState,
  health: StreamHealth | null,
  standing: ExportStatus | null,
  now: Date,
): StatusDecision {
  // Only the holder of a stream writes its status; where nothing can run, there is no holder.
  if (!health && inForce(state)) return { kind: 'not-ours' };
  // After a restart: until something is known of the stream, or should be.
  const isUnknown = health?.activity === 'starting' && !health.isBehind;
  if (standing && isUnknown && state.kind === 'valid') return { kind: 'stands' };
  return { kind: 'write', status: makeStatus(state, health, standing?.conditions ?? [], now) };
}
