/** Which errors are about one organization's ledger or entries, so that the others go on. */
import { errorCode } from '../basics/errorCode.ts';
import { isTooMuch } from '../database/boundedRead.ts';
import { isDatabaseAway } from '../database/failure.ts';

/** What the trigger on audit.ledgers says while somebody changes the organization's retention (0019). */
const lockNotAvailable = '55P03';

/** Too large, unreadable or damaged on disk, or a value that no ledger can have; not a lost connection or a missing right. */
export function isOfOneLedger(error: unknown): boolean {
  if (errorCode(error) === lockNotAvailable) return true;
  if (isDatabaseAway(error)) return false;
  const isOwn = error instanceof Error && !('code' in error);
  return isOwn || isTooMuch(error) || /^(?:22|23|40|58|XX)\w{3}$/.test(errorCode(error));
}
