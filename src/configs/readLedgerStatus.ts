/** Reads `status.ledger` of what somebody else may have written. */
import { isMap } from '../basics/isMap.ts';
import type { LedgerStatus } from '../model/streamStatus.ts';

/** null: it is none. */
export function readLedgerStatus(value: unknown): LedgerStatus | null {
  if (!isMap(value)) return null;
  const { origin, size, root, time } = value;
  const isText = [origin, root, time].every((each) => typeof each === 'string');
  return isText && Number.isSafeInteger(size) ? (value as unknown as LedgerStatus) : null;
}
