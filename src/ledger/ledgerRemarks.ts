/** What a person has to know of the ledger of an export's organization. */
import type { LedgerView } from '../database/ledgerCheckpoints.ts';
import type { Remark } from '../model/exportConfig.ts';

export function ledgerRemarks(view: LedgerView | null): readonly Remark[] {
  return view?.stopped ? [{ reason: 'DatabaseSetBack', message: view.stopped.message }] : [];
}
