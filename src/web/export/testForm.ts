/** POST …/export/new/test and …/export/:id/test: sends one marked record to what is in the form. Saves nothing. */
import type { ConfigEditor } from '../../configs/configEditor.ts';
import type { Destination as Target } from '../../model/exportConfig.ts';
import { fragmentTarget, isFragmentRequest, sendFragment } from '../reply/reply.ts';
import type { TestView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import type { WebContext } from '../webContext.ts';
import { readForm, toDraft } from './exportForm.ts';
import type { FormInput } from './formView.ts';
import { configIdOf, hostOf, makeFrame, sendGone, withoutQuery } from './frame.ts';
import { loadDestination, readOnlyNotice, reasonOf } from './load.ts';
import { unrecorded } from './notices.ts';
import { describeDestination, doRecorded, recordAction } from './ownEntries.ts';
import { makeInput } from './saveForm.ts';
import { sendForm, sendUnavailable } from './showForm.ts';
import type { Destination } from './stateView.ts';
import { makeTestRequest } from './testRecord.ts';
import { describeTest } from './testWords.ts';

/** Longer than a receiver that works takes, and short enough to wait for. */
const testTimeoutMs = 10_000;

export async function testNewDestination(visit: Visit): Promise<void> {
  const { editor } = visit.context;
  if (editor === undefined) await sendUnavailable(visit, readOnlyNotice.text);
  else await test(visit, editor, null);
}

export async function testDestination(visit: Visit): Promise<void> {
  const loaded = await loadDestination(visit, configIdOf(visit));
  if (loaded.kind === 'gone') await sendGone(visit);
  else if (loaded.kind === 'unavailable') await sendUnavailable(visit, loaded.reason);
  else await test(visit, loaded.editor, loaded.destination);
}

async function test(visit: Visit, editor: ConfigEditor, destination: Destination | null): Promise<void> {
  const { organization } = visit;
  const form = readForm(visit.request.body);
  const current = destination?.config ?? null;
  const resolved = await editor.resolve(toDraft(form, { organization, current }));
  const input = await makeInput(visit, destination, form);
  if (resolved.kind === 'invalid') {
    if (isFragmentRequest(visit.request)) {
      // The form as a whole, in place of the result alone: its fields say what is wrong.
      visit.response.set({ 'HX-Retarget': '#drawer-body', 'HX-Reswap': 'innerMorph' });
    }
    await sendForm(visit, { ...input, problems: resolved.problems }, 422);
    return;
  }
  if (resolved.kind !== 'ok') {
    await answer(visit, input, nothingSent(organization, reasonOf(resolved)));
    return;
  }
  const target = resolved.value;
  const about = describeDestination(current?.id ?? null, hostOf(form.values.endpoint));
  const sent = await doRecorded<Sent>(visit, { deed: 'tested', about }, async (before) => {
    const agreed = await before();
    return agreed.kind === 'ok' ? { kind: 'ok', value: await send(visit, target) } : agreed;
  });
  if (sent.kind !== 'ok') {
    await answer(visit, input, nothingSent(organization, reasonOf(sent)));
    return;
  }
  const { outcome, elapsedMs } = sent.value;
  const words = describeTest(outcome, withoutQuery(target.url.href), elapsedMs);
  const isRecorded = await recordAction(visit, 'tested', {
    ...about,
    result:
      outcome === 'aborted'
        ? 'Timeout'
        : outcome.kind === 'settled'
          ? describeSettled(outcome.rejected)
          : outcome.reason,
  });
  await answer(visit, input, {
    frame: makeFrame(organization),
    ...words,
    ...(isRecorded ? {} : { advice: `${words.advice} ${unrecorded.title}` }),
  });
}

interface Sent {
  readonly outcome: Awaited<ReturnType<WebContext['send']>>;
  readonly elapsedMs: number;
}

async function send({ context, organization, viewer }: Visit, target: Target): Promise<Sent> {
  const startedAt = performance.now();
  const { serviceName, version } = context;
  const outcome = await context.send(
    { ...target, timeoutMs: Math.min(target.timeoutMs, testTimeoutMs) },
    makeTestRequest({ serviceName, version, organization, viewer, now: Date.now() }),
    // Also what waits for a free connection ends.
    AbortSignal.timeout(testTimeoutMs + 1_000),
    organization,
  );
  return { outcome, elapsedMs: performance.now() - startedAt };
}

function nothingSent(organization: string, message: string): TestView {
  return { frame: makeFrame(organization), tone: 'bad', title: 'Nothing was sent', message, advice: '' };
}

function describeSettled(rejected: number): string {
  return rejected > 0 ? 'PartialSuccess' : 'Delivered';
}

async function answer(visit: Visit, input: FormInput, view: TestView): Promise<void> {
  if (isFragmentRequest(visit.request) && fragmentTarget(visit.request) === 'export-test') {
    sendFragment(visit, 'export/test', view);
  } else await sendForm(visit, { ...input, test: view }, 200);
}
