/**
 * What a person sees of a stream: written as `status` of its AuditExportConfig (cluster, status file) and on the page.
 * Times are RFC 3339 in UTC.
 */
export interface ExportStatus {
  readonly observedGeneration: number;
  readonly resolvedEndpoint?: string;
  readonly conditions: readonly Condition[];
  readonly lastError?: LastError;
  readonly lastDeliveryTime?: string;
  readonly deliveredEntries?: number;
  readonly pendingEntries?: number;
  readonly parkedEntries?: number;
  /** Entries that receivers reported as rejected in a partial success. Absent while zero. */
  readonly rejectedEntries?: number;
  readonly oldestPendingTime?: string;
  /** The organization's ledger at its latest checkpoint. It stays, also while the ledger does not go on. */
  readonly ledger?: LedgerStatus;
  /** The latest replay of a range. Absent: there was none within 30 days. */
  readonly replay?: ReplayStatus;
  /** Echo of the annotation auditexport.dev/reconcile-at once it has been acted on. */
  readonly lastHandledReconcileAt?: string;
}

/** A checkpoint of an organization's ledger: whoever keeps the status is a witness of it. */
export interface LedgerStatus {
  /** LEDGER_NAME/ID */
  readonly origin: string;
  /** Sealed entries. */
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** When the collector wrote it. Nothing signs this. */
  readonly time: string;
}

export interface Condition {
  readonly type: 'Ready' | 'Stalled' | 'Reconciling';
  readonly status: 'True' | 'False' | 'Unknown';
  /** A `ConditionReason` (reasons.ts), or one that another version knows. */
  readonly reason: string;
  /** What happened and what to do, in a few sentences; never a secret. */
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

/** The latest failure; it stays after recovery, then with `resolvedTime`. */
export interface LastError {
  readonly time: string;
  /** A `StreamReason` (reasons.ts), or one that another version knows. */
  readonly reason: string;
  /** What happened; what to do is the advice of the reason. */
  readonly message: string;
  readonly httpStatus?: number;
  readonly resolvedTime?: string;
}

/** What the status of an export says of its latest replay. */
export interface ReplayStatus {
  readonly id: string;
  readonly from: string;
  readonly until: string;
  readonly state: ReplayState;
  readonly sentEntries: number;
  readonly totalEntries?: number;
  readonly message: string;
  readonly endTime?: string;
}

export type ReplayState = 'Waiting' | 'Sending' | 'Failing' | 'Done' | 'Canceled';
