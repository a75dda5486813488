/** The status of an AuditExportConfig as the cluster has it: which of it is ours, and whether it is what we would write. */

import { isMap } from '../../basics/isMap.ts';
import { spell } from '../../basics/spell.ts';
import type { Condition, ExportStatus, LastError, ReplayStatus } from '../../model/streamStatus.ts';
import { readLedgerStatus } from '../readLedgerStatus.ts';
import type { KubeObject } from './kubeObject.ts';

const ownConditions = ['Ready', 'Stalled', 'Reconciling'];
const ownFields = {
  resolvedEndpoint: 'string',
  lastDeliveryTime: 'string',
  deliveredEntries: 'number',
  pendingEntries: 'number',
  parkedEntries: 'number',
  rejectedEntries: 'number',
  oldestPendingTime: 'string',
  lastHandledReconcileAt: 'string',
} as const;

/** null before the first status; what others have added is left out. */
export function readClusterStatus({ raw }: KubeObject): ExportStatus | null {
  const { status } = raw;
  if (!isMap(status) || typeof status['observedGeneration'] !== 'number') return null;
  const conditions = readConditions(status['conditions']);
  if (conditions.length === 0) return null;
  const ledger = readLedgerStatus(status['ledger']);
  const fields = Object.entries(ownFields).filter(([field, type]) => typeof status[field] === type);
  return {
    observedGeneration: status['observedGeneration'],
    conditions,
    ...Object.fromEntries(fields.map(([field]) => [field, status[field]])),
    ...(isMap(status['lastError']) ? { lastError: status['lastError'] as unknown as LastError } : {}),
    ...(ledger && { ledger }),
    ...(isMap(status['replay']) ? { replay: status['replay'] as unknown as ReplayStatus } : {}),
  };
}

function readConditions(value: unknown): Condition[] {
  if (!Array.isArray(value)) return [];
  return value.filter((each): each is Condition => {
    return isMap(each) && ownConditions.includes(String(each['type'])) && typeof each['status'] === 'string';
  });
}

/** Whether both say the same, in whatever order of fields and conditions: the server changes it. */
export function isSameStatus(a: ExportStatus | null, b: ExportStatus | null): boolean {
  return a === b || (a !== null && b !== null && spell(sorted(a)) === spell(sorted(b)));
}

function sorted(status: ExportStatus): ExportStatus {
  return { ...status, conditions: status.conditions.toSorted((a, b) => (a.type < b.type ? -1 : 1)) };
}

export function findReady(status: ExportStatus | null): Condition | null {
  return status?.conditions.find(({ type }) => type === 'Ready') ?? null;
}
