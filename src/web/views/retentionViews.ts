/** The data of the drawer that says how long entries are kept. */
import type { RetentionView } from '../../database/retention.ts';

export interface RetentionDrawerView extends Pick<RetentionView, 'oldestAt' | 'deleted' | 'holds'> {
  readonly auditLogsUrl: string;
  /** How long, in a sentence. */
  readonly period: string;
  /** What is left past its time, and why; one sentence each. */
  readonly waiting: readonly string[];
}
