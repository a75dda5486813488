/** GET …/export/:id/history: how requests to a destination went, by the day and one by one. */
import { type KeptAttempts, readAttempts } from '../../database/attempts.ts';
import { sendDrawer } from '../list/sendDrawer.ts';
import { destinationUrl, makeFrame } from './addresses.ts';
import { describeCompleteness } from './completeness.ts';
import { onDestination } from './destinations.ts';
import { gapQueries } from './gapQueries.ts';
import { makeHistory } from './historyView.ts';

const none: KeptAttempts = { hours: [], attempts: [], nextTryAt: null, writtenAt: null };

export const showHistory = onDestination(async (visit, _editor, { config, stream }) => {
  const { context, organization } = visit;
  const url = destinationUrl(organization, config.id);
  const kept = stream === null ? none : await readAttempts(context.db, stream.streamId);
  const view = {
    ...{ frame: makeFrame(organization), name: config.id.name, backUrl: url },
    ...makeHistory(kept, new Date()),
    completeness: stream === null ? '' : describeCompleteness(stream),
    queries:
      stream === null
        ? []
        : gapQueries.map(({ receiver, query, note = '' }, n) => ({
            ...{ id: `gap-query-${n}`, receiver, note },
            text: query(stream.streamId, organization),
          })),
  };
  await sendDrawer(visit, 'export/history', view, {
    title: `Requests to ${config.id.name}`,
    url: `${url}/history`,
  });
});
