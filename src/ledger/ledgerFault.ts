/** Which errors are about one organization's ledger or entries, so that the others go on. */
import { errorCode } from '../basics/errorCode.ts';
import { isDatabaseAway } from '../database/failure.ts';

/**
 * - `own`: too large, unreadable or damaged on disk, a value that no ledger can have, or a lock: the others go on.
 * - `doubtful`: a time limit, memory, a disk, a lost connection. The next one may meet it, too, so there is no sense in going on with all of them
 *   now; but the one that met it comes after the others from then on, so that it never stands before them for good.
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
