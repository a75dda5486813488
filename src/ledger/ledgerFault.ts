/** Which errors are about one organization's ledger or entries, so that the others go on. */
import { errorCode } from '../basics/errorCode.ts';
import { isDatabaseAway } from '../database/failure.ts';

/** What the trigger on audit.ledgers says while somebody changes the organization's retention (0019). */
const lockNotAvailable = '55P03';

/**
 * Too large, unreadable or damaged on disk, a value that no ledger can have, or a lock. False for what the next one may meet, too: a time
 * limit, memory, a disk, a lost connection, a missing right.
 */
export function isOfOneLedger(error: unknown): boolean {
  const code = errorCode(error);
  if (code === lockNotAvailable) return true;
  if (isDatabaseAway(error)) return false;
  const isOurs = error instanceof Error && !('code' in error);
  return isOurs || /^(?:22|23|54|XX)\w{3}$/.test(code);
}
