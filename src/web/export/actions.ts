/** POST …/export/:id/suspend, resume, retry and replay: one action each, then the destination as it is. */
import type { BeforeWrite, ConfigEditor, EditorResult } from '../../configs/configEditor.ts';
import { requestReplay } from '../../database/streamViews.ts';
import type { Handler, Visit } from '../visit.ts';
import { onDestination } from './destinations.ts';
import type { StreamedConfig } from './joinStreams.ts';
import { reasonOf, sendGone } from './messages.ts';
import { answerDone, describeDestination, doRecorded } from './ownEntries.ts';
import { sendStored } from './sendForm.ts';

interface Action {
  readonly action: 'suspended' | 'resumed' | 'retried' | 'replayed';
  /** Known beforehand, and in both entries. */
  readonly change?: Readonly<Record<string, unknown>>;
  /** What else there is to say of it in the entry, once it is done. */
  readonly act: (
    visit: Visit,
    editor: ConfigEditor,
    destination: StreamedConfig,
    before: BeforeWrite,
  ) => Promise<EditorResult<unknown>>;
}

export const suspendDestination = makeHandler(switchTo(true));

export const resumeDestination = makeHandler(switchTo(false));

export const retryDestination = makeHandler({
  action: 'retried',
  act: ({ organization }, editor, { config }, before) => editor.tryAgain(organization, config.id, before),
});

export const replayDestination = makeHandler({
  action: 'replayed',
  async act({ context, organization }, _editor, { stream }, before) {
    if (stream === null) return { kind: 'refused', reason: 'There are no parked entries to send again.' };
    const agreed = await before();
    if (agreed.kind !== 'ok') return agreed;
    return { kind: 'ok', value: { entries: await requestReplay(context.db, organization, stream.streamId) } };
  },
});

function switchTo(suspend: boolean): Action {
  return {
    action: suspend ? 'suspended' : 'resumed',
    change: { changed: ['suspend'], changes: { suspend: { from: !suspend, to: suspend } } },
    act: ({ organization }, editor, { config }, before) =>
      editor.setSuspended(organization, config.id, suspend, before),
  };
}

function makeHandler({ action, change, act }: Action): Handler {
  return onDestination(async (visit, editor, destination) => {
    const { id, spec } = destination.config;
    const about = { ...describeDestination(id, spec.endpoint), ...change };
    const result = await doRecorded(visit, { action, about }, (before) =>
      act(visit, editor, destination, before),
    );
    if (result.kind === 'gone') return await sendGone(visit);
    if (result.kind !== 'ok') {
      const notice = { tone: 'bad', title: 'Nothing was changed.', text: reasonOf(result) } as const;
      return await sendStored(visit, destination, [notice]);
    }
    const done = { action, about: { ...about, ...(result.value as object | undefined) }, id };
    await answerDone(visit, done, (notices) =>
      onDestination((now, _editor, changed) => sendStored(now, changed, notices))(visit),
    );
  });
}
