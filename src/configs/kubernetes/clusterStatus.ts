/** The status of an AuditExportConfig as the cluster has it: what of it is ours, and whether it says what we would write. */
import type { Condition, ExportStatus, LastError } from '../../model/streamStatus.ts';
import { isRecord, type KubeObject } from './kubeObject.ts';

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
  if (!isRecord(status) || typeof status['observedGeneration'] !== 'number') return null;
  const conditions = readConditions(status['conditions']);
  if (conditions.length === 0) return null;
  const fields = Object.entries(ownFields).filter(([field, type]) => typeof status[field] === type);
  return {
    observedGeneration: status['observedGeneration'],
    conditions,
    ...Object.fromEntries(fields.map(([field]) => [field, status[field]])),
    ...(isRecord(status['lastError']) ? { lastError: status['lastError'] as unknown as LastError } : {}),
  };
}

function readConditions(value: unknown): Condition[] {
  if (!Array.isArray(value)) return [];
  return value.filter((each): each is Condition => {
    return (
      isRecord(each) && ownConditions.includes(String(each['type'])) && typeof each['status'] === 'string'
    );
  });
}

/** Whatever the order of fields and conditions, which the server changes. */
export function isSameStatus(a: ExportStatus | null, b: ExportStatus | null): boolean {
  return a === b || (a !== null && b !== null && spell(a) === spell(b));
}

function spell(status: ExportStatus): string {
  const conditions = status.conditions.toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return JSON.stringify({ ...status, conditions }, (_, value: unknown) =>
    isRecord(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

export function findReady(status: ExportStatus | null): Condition | null {
  return status?.conditions.find(({ type }) => type === 'Ready') ?? null;
}
