/** Which errors are about one organization's ledger or entries, so that the others go on. */
import { errorCode } from '../basics/errorCode.ts';
import { isDatabaseAway } from '../database/failure.ts';

/**
 * - `own`: too large, unreadable or damaged on disk, a value that no ledger can have, or a lock.
 * - `doubtful`: a time limit, memory, a disk, a lost connection: the next one may meet it, too.
 * - `database`: nobody can go on, such as without a right.
 */
export type LedgerFault = 'own' | 'doubtful' | 'database';

/** What the trigger on audit.ledgers says while somebody changes the organization's retention (0019). */
const lockNotAvailable = '55P03';

export function ledgerFaultOf(error: unknown): LedgerFault {
  const code = errorCode(error);
  if (code === lockNotAvailable) return 'own';
  if (isDatabaseAway(error)) return 'doubtful';
  const isOurs = error instanceof Error && !('code' in error);
  return isOurs || /^(?:22|23|54|XX)\w{3}$/.test(code) ? 'own' : 'database';
}
