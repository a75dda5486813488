/** POST …/export/:id/suspend, resume, retry and replay: one deed each, then the destination as it is. */
import type { ConfigEditor, EditorResult } from '../../../configs/configEditor.ts';
import { replayParked } from '../../../database/streamViews.ts';
import { isFragmentRequest } from '../../reply.ts';
import type { Handler, Visit } from '../../visit.ts';
import { configIdOf, destinationUrl, hostOf, sendGone } from './frame.ts';
import { type Loaded, loadDestination, reasonOf } from './load.ts';
import { noticeFor, unrecorded } from './notices.ts';
import { describeDestination, recordAction } from './ownEntries.ts';
import { sendStored, sendUnavailable } from './showForm.ts';
import type { Destination } from './stateView.ts';

type Deed = 'suspended' | 'resumed' | 'retried' | 'replayed';

/** What it was, for the entry. */
type Act = (
  visit: Visit,
  editor: ConfigEditor,
  destination: Destination,
) => Promise<EditorResult<Readonly<Record<string, unknown>>>>;

export const suspendDestination = makeHandler('suspended', (visit, editor, { config }) =>
  withChange(editor.setSuspended(visit.organization, config.id, true), true),
);

export const resumeDestination = makeHandler('resumed', (visit, editor, { config }) =>
  withChange(editor.setSuspended(visit.organization, config.id, false), false),
);

export const retryDestination = makeHandler('retried', async (visit, editor, { config }) => {
  const result = await editor.tryAgain(visit.organization, config.id);
  return result.kind === 'ok' ? { kind: 'ok', value: {} } : result;
});

export const replayDestination = makeHandler('replayed', async (visit, _editor, { stream }) => {
  if (stream === null) return { kind: 'refused', reason: 'There is nothing parked to send again.' };
  const entries = await replayParked(visit.context.db, visit.organization, stream.streamId);
  return { kind: 'ok', value: { entries } };
});

async function withChange(
  change: Promise<EditorResult<void>>,
  suspend: boolean,
): Promise<EditorResult<Readonly<Record<string, unknown>>>> {
  const result = await change;
  if (result.kind !== 'ok') return result;
  return {
    kind: 'ok',
    value: { changed: ['suspend'], changes: { suspend: { from: !suspend, to: suspend } } },
  };
}

function makeHandler(deed: Deed, act: Act): Handler {
  return async (visit) => {
    const loaded = await loadDestination(visit, configIdOf(visit));
    if (loaded.kind !== 'found') {
      await answerMissing(visit, loaded);
      return;
    }
    const { config } = loaded.destination;
    const result = await act(visit, loaded.editor, loaded.destination);
    if (result.kind === 'gone') {
      await sendGone(visit);
      return;
    }
    if (result.kind !== 'ok') {
      const notice = { tone: 'bad', title: 'Nothing was changed.', text: reasonOf(result) } as const;
      await sendStored(visit, loaded.destination, [notice]);
      return;
    }
    const isRecorded = await recordAction(visit, deed, {
      ...describeDestination(config.id, hostOf(config.spec.endpoint)),
      ...result.value,
    });
    if (isRecorded && !isFragmentRequest(visit.request)) {
      visit.response.redirect(303, `${destinationUrl(visit.organization, config.id)}?done=${deed}`);
      return;
    }
    const now = await loadDestination(visit, config.id);
    if (now.kind !== 'found') await answerMissing(visit, now);
    else await sendStored(visit, now.destination, [noticeFor(deed), ...(isRecorded ? [] : [unrecorded])]);
  };
}

async function answerMissing(visit: Visit, loaded: Exclude<Loaded, { kind: 'found' }>): Promise<void> {
  if (loaded.kind === 'gone') await sendGone(visit);
  else await sendUnavailable(visit, loaded.reason);
}
