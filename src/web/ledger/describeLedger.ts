/** Says below the list how far an organization's entries are sealed, and whether some are not as they were sealed. */
import { readLedgerViews } from '../../database/ledgerCheckpoints.ts';
import { countFindings } from '../../database/ledgerFindings.ts';
import type { WebContext } from '../visit.ts';

/** null: nothing is sealed yet, or the ledger cannot be read. */
export async function readSealedUpTo(
  { db, log }: Pick<WebContext, 'db' | 'log'>,
  organization: string,
): Promise<{ readonly words: string; readonly isWrong: boolean } | null> {
  try {
    const [view] = await readLedgerViews(db, [organization]);
    if (!view?.checkpoint) return null;
    const upTo = `Sealed up to entry ${view.checkpoint.size.toLocaleString('en-US')}${view.isSigned ? '' : ', and not signed'}.`;
    const found = await countFindings(db, organization);
    if (view.stopped)
      return {
        words: `${upTo} Nothing more is sealed: the database was set back or changed. Tell the operator of the collector.`,
        isWrong: true,
      };
    if (found === 0) return { words: upTo, isWrong: false };
    const entries = found === 1 ? '1 entry is' : `${found.toLocaleString('en-US')} entries are`;
    return { words: `${upTo} ${entries} not as sealed. Tell the operator of the collector.`, isWrong: true };
  } catch (error) {
    log.warn({ err: error }, 'page: the ledger could not be read');
    return null;
  }
}
