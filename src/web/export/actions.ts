/** POST …/export/:id/suspend, resume, retry and replay: one deed each, then the destination as it is. */
import type { BeforeWrite, ConfigEditor, EditorResult } from '../../configs/configEditor.ts';
import { requestReplay } from '../../database/streamViews.ts';
import { isFragmentRequest } from '../reply/reply.ts';
import type { Handler, Visit } from '../visit.ts';
import { configIdOf, destinationUrl, hostOf, sendGone } from './frame.ts';
import { type Loaded, loadDestination, reasonOf } from './load.ts';
import { noticeFor, unrecorded } from './notices.ts';
import { type Deed, describeDestination, doRecorded, recordAction } from './ownEntries.ts';
import { sendStored, sendUnavailable } from './showForm.ts';
import type { Destination } from './stateView.ts';

type Act = (
  visit: Visit,
  editor: ConfigEditor,
  destination: Destination,
  before: BeforeWrite,
) => Promise<EditorResult<Readonly<Record<string, unknown>>>>;

/** `change` is known beforehand, and in both entries. */
interface Action {
  readonly deed: Exclude<Deed, 'created' | 'updated' | 'tested' | 'deleted'>;
  readonly change: Readonly<Record<string, unknown>>;
  /** What came of it besides, for the entry. */
  readonly act: Act;
}

export const suspendDestination = makeHandler(switchTo(true));

export const resumeDestination = makeHandler(switchTo(false));

export const retryDestination = makeHandler({
  deed: 'retried',
  change: {},
  async act(visit, editor, { config }, before) {
    const result = await editor.tryAgain(visit.organization, config.id, before);
    return result.kind === 'ok' ? { kind: 'ok', value: {} } : result;
  },
});

export const replayDestination = makeHandler({
  deed: 'replayed',
  change: {},
  async act(visit, _editor, { stream }, before) {
    if (stream === null) return { kind: 'refused', reason: 'There is nothing parked to send again.' };
    const agreed = await before();
    if (agreed.kind !== 'ok') return agreed;
    const entries = await requestReplay(visit.context.db, visit.organization, stream.streamId);
    return { kind: 'ok', value: { entries } };
  },
});

function switchTo(suspend: boolean): Action {
  return {
    deed: suspend ? 'suspended' : 'resumed',
    change: { changed: ['suspend'], changes: { suspend: { from: !suspend, to: suspend } } },
    async act(visit, editor, { config }, before) {
      const result = await editor.setSuspended(visit.organization, config.id, suspend, before);
      return result.kind === 'ok' ? { kind: 'ok', value: {} } : result;
    },
  };
}

function makeHandler({ deed, change, act }: Action): Handler {
  return async (visit) => {
    const loaded = await loadDestination(visit, configIdOf(visit));
    if (loaded.kind !== 'found') {
      await answerMissing(visit, loaded);
      return;
    }
    const { config } = loaded.destination;
    const about = { ...describeDestination(config.id, hostOf(config.spec.endpoint)), ...change };
    const result = await doRecorded(visit, { deed, about }, (before) =>
      act(visit, loaded.editor, loaded.destination, before),
    );
    if (result.kind === 'gone') {
      await sendGone(visit);
      return;
    }
    if (result.kind !== 'ok') {
      const notice = { tone: 'bad', title: 'Nothing was changed.', text: reasonOf(result) } as const;
      await sendStored(visit, loaded.destination, [notice]);
      return;
    }
    const isRecorded = await recordAction(visit, deed, { ...about, ...result.value });
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
