/** Organization → Audit Logs: the list. */
import { sendPage } from '../reply.ts';
import type { Visit } from '../routes.ts';

export interface AuditLogsView {
  readonly organization: string;
}

export async function showAuditLogs(visit: Visit): Promise<void> {
  sendPage(visit, 'audit-logs/page', { organization: visit.organization }, { title: 'Audit logs' });
}
