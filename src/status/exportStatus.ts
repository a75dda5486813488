/**
 * Decides whether this replica writes an export's status now, and which.
 *
 * Not here: what a status says (conditions.ts), when it is written (publisher.ts).
 */
import type { ExportConfig } from '../model/exportConfig.ts';
import type { ConfigReason } from '../model/reasons.ts';
import type { StreamHealth } from '../model/streamHealth.ts';
import type { ExportStatus } from '../model/streamStatus.ts';
import { makeStatus } from './conditions.ts';

/** A manifest as it stands. */
export type ExportState =
  | { readonly kind: 'valid'; readonly config: ExportConfig }
  | {
      readonly kind: 'invalid';
      readonly generation: number;
      readonly reason: ConfigReason;
      /** One sentence each. */
      readonly problems: readonly string[];
      /** Still in force; null: there is nothing to run. */
      readonly lastGood: ExportConfig | null;
    };

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
  const isValid = state.kind === 'valid';
  const running = isValid ? state.config : state.lastGood;
  // Only the holder of a stream writes its status; where nothing can run, there is no holder.
  if (running && !health) return { kind: 'not-ours' };
  // After a restart: until something is known of the stream, or should be.
  if (standing && isValid && health?.activity === 'starting' && !health.isBehind) return { kind: 'stands' };
  const status = makeStatus({
    generation: isValid ? state.config.generation : state.generation,
    resolvedEndpoint: running?.destination.url ?? null,
    reconcileAt: running?.reconcileAt ?? null,
    problem: isValid
      ? null
      : { reason: state.reason, problems: state.problems, lastGoodRuns: running !== null },
    remarks: (running?.remarks ?? []).map(({ message }) => message),
    health,
    previous: standing?.conditions ?? [],
    now,
  });
  return { kind: 'write', status };
}
