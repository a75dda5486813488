/** POST …/export/new/test and …/export/:id/test: sends one marked record to what is in the form. Saves nothing. */
import type { ConfigEditor, FieldProblem } from '../../configs/configEditor.ts';
import type { Destination } from '../../model/exportConfig.ts';
import { fragmentTarget, isFragmentRequest, sendFragment } from '../reply/reply.ts';
import type { TestView } from '../views/exportViews.ts';
import type { Visit, WebContext } from '../visit.ts';
import { makeFrame, withoutQuery } from './addresses.ts';
import { onDestination, onNew } from './destinations.ts';
import { type ExportForm, readForm, toDraft } from './exportForm.ts';
import type { StreamedConfig } from './joinStreams.ts';
import { reasonOf, unrecorded } from './messages.ts';
import { describeDestination, doRecorded, recordAction } from './ownEntries.ts';
import { sendForm } from './sendForm.ts';
import { makeTestRequest } from './testRecord.ts';
import { describeTest } from './testWords.ts';

/** Longer than a working receiver takes, and short enough to wait for. */
const testTimeoutMs = 10_000;

export const testNewDestination = onNew(test);
export const testDestination = onDestination(test);

async function test(visit: Visit, editor: ConfigEditor, destination: StreamedConfig | null): Promise<void> {
  const { organization, request, response } = visit;
  const isFragment = isFragmentRequest(request);
  const form = readForm(request.body);
  const tested = await runTest(visit, editor, destination, form);
  if (tested.kind === 'invalid') {
    // The whole form, in place of the result alone: its fields say what is wrong.
    if (isFragment) response.set({ 'HX-Retarget': '#drawer-body', 'HX-Reswap': 'innerMorph' });
    return await sendForm(visit, destination, form, { problems: tested.problems, status: 422 });
  }
  const view = { frame: makeFrame(organization), asksToAdd: false, ...tested.words };
  if (isFragment && fragmentTarget(request) === 'export-test') sendFragment(visit, 'export/test', view);
  else await sendForm(visit, destination, form, { test: view });
}

type Words = Pick<TestView, 'tone' | 'title' | 'message' | 'advice'>;

type Tested =
  | { readonly kind: 'invalid'; readonly problems: readonly FieldProblem[] }
  /** No record was sent, because of the page or what it saves to. */
  | { readonly kind: 'not-sent'; readonly words: Words }
  | { readonly kind: 'sent'; readonly words: Words; readonly isDelivered: boolean };

/** Sends a test record to what is in the form, and records that. */
export async function runTest(
  visit: Visit,
  editor: ConfigEditor,
  destination: StreamedConfig | null,
  form: ExportForm,
): Promise<Tested> {
  const { organization } = visit;
  const current = destination?.config ?? null;
  const notSent = (message: string): Tested => ({
    kind: 'not-sent',
    words: { tone: 'bad', title: 'Nothing was sent', message, advice: '' },
  });
  const resolved = await editor.resolve(toDraft(form, { organization, current }));
  if (resolved.kind === 'invalid') return { kind: 'invalid', problems: resolved.problems };
  if (resolved.kind !== 'ok') return notSent(reasonOf(resolved));
  const target = resolved.value;
  // The entry names where the record goes, whatever was posted for an endpoint of another owner.
  const about = describeDestination(current?.id ?? null, target.url.href);
  const sent = await doRecorded<Sent>(visit, { action: 'tested', about }, async (before) => {
    const agreed = await before();
    return agreed.kind === 'ok' ? { kind: 'ok', value: await send(visit, target) } : agreed;
  });
  if (sent.kind !== 'ok') return notSent(reasonOf(sent));
  const { outcome, elapsedMs } = sent.value;
  const words = describeTest(outcome, withoutQuery(target.url.href), elapsedMs);
  const isRecorded = await recordAction(visit, 'tested', { ...about, result: nameResult(outcome) });
  return {
    kind: 'sent',
    words: isRecorded ? words : { ...words, advice: `${words.advice} ${unrecorded.title}` },
    isDelivered: nameResult(outcome) === 'Delivered',
  };
}

interface Sent {
  readonly outcome: Awaited<ReturnType<WebContext['send']>>;
  readonly elapsedMs: number;
}

async function send({ context, organization, viewer }: Visit, target: Destination): Promise<Sent> {
  const startedAt = performance.now();
  const { serviceName, version } = context;
  const outcome = await context.send(
    { ...target, timeoutMs: Math.min(target.timeoutMs, testTimeoutMs) },
    makeTestRequest({ serviceName, version, organization, viewer, now: Date.now() }),
    // Waiting for a free connection ends, too.
    AbortSignal.timeout(testTimeoutMs + 1_000),
    organization,
  );
  return { outcome, elapsedMs: performance.now() - startedAt };
}

function nameResult(outcome: Sent['outcome']): string {
  if (outcome === 'aborted') return 'Timeout';
  if (outcome.kind !== 'settled') return outcome.reason;
  return outcome.rejected > 0 ? 'PartialSuccess' : 'Delivered';
}
