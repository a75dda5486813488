/** GET …/retention: how long entries are kept, what that waits for, and what is held. Who may change it works with the database. */
import { readRetention } from '../../database/retention.ts';
import { sendDrawer } from '../list/sendDrawer.ts';
import { logsUrl } from '../urls.ts';
import type { Visit } from '../visit.ts';
import { describeRetention } from './describeRetention.ts';

export async function showRetention(visit: Visit): Promise<void> {
  const { organization, context } = visit;
  const view = await readRetention(context.db, organization);
  const { oldestAt, deleted, holds } = view;
  const shown = {
    auditLogsUrl: logsUrl(organization),
    ...describeRetention(view),
    oldestAt,
    deleted,
    holds,
  };
  await sendDrawer(visit, 'retention/page', shown, { title: 'Retention' });
}
