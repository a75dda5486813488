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
  /** Echo of the annotation auditexport.dev/reconcile-at once it has been acted on. */
  readonly lastHandledReconcileAt?: string;
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
