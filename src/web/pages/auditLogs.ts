/** Organization → Audit Logs: the list. */
import { sendPage } from '../reply.ts';
import type { Visit } from '../visit.ts';

export async function showAuditLogs(visit: Visit): Promise<void> {
  sendPage(visit, 'audit-logs/page', { organization: visit.organization }, { title: 'Audit logs' });
}
