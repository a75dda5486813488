/** What a status says of the ledger: the latest checkpoint that is known, and never an earlier one in place of a later one. */
import type { ExportStatus, LedgerStatus } from '../model/streamStatus.ts';
import type { StatusDecision } from './exportStatus.ts';

/**
 * Adds the ledger to a status that is to be written. A database that was set back shows itself by a smaller tree: what stands stays then.
 *
 * @param known null: nothing is known of it, or it has stopped.
 */
export function withLedger(
  decision: StatusDecision,
  standing: ExportStatus | null,
  known: LedgerStatus | null,
): StatusDecision {
  if (decision.kind !== 'write') return decision;
  const ledger = laterOf(standing?.ledger ?? null, known);
  return ledger === null ? decision : { kind: 'write', status: { ...decision.status, ledger } };
}

function laterOf(standing: LedgerStatus | null, known: LedgerStatus | null): LedgerStatus | null {
  if (standing === null || known === null) return known ?? standing;
  // Another one: a person has begun it, and it was compared before it got here.
  if (idOf(standing) !== idOf(known)) return known;
  return known.size > standing.size ? known : standing;
}

function idOf({ origin }: LedgerStatus): string {
  return origin.slice(origin.lastIndexOf('/') + 1);
}
