/** GET …/help: the help for admins. Its text is docs/admins.md, made into a view by `npm run generate`. */
import { sendDrawer } from '../list/sendDrawer.ts';
import { logsUrl } from '../urls.ts';
import type { Visit } from '../visit.ts';

export async function showHelp(visit: Visit): Promise<void> {
  const auditLogsUrl = logsUrl(visit.organization);
  const retentionUrl = logsUrl(visit.organization, '', '/retention');
  await sendDrawer(visit, 'help/page', { auditLogsUrl, retentionUrl }, { title: 'Help' });
}
