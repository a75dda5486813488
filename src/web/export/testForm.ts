/** POST …/export/new/test and …/export/:id/test: sends one marked record to what is in the form. Saves nothing. */
import type { ConfigEditor, FieldProblem } from '../../configs/configEditor.ts';
import type { Destination } from '../../model/exportConfig.ts';
import type { FailureReason } from '../../model/reasons.ts';
import { fragmentTarget, isFragmentRequest, sendFragment, whenGone } from '../reply/reply.ts';
import type { TestView } from '../views/formViews.ts';
import type { Visit, WebContext } from '../visit.ts';
import { formUrl, makeFrame, withoutQuery } from './addresses.ts';
import { onDestination, onNew } from './destinations.ts';
import { findCredentialMistake } from './doctor/credentials.ts';
import { lookAround } from './doctor/lookAround.ts';
import { applyFix, type Diagnosis, nothingFound, toRemedyView } from './doctor/remedy.ts';
import { findTypedMistake } from './doctor/typedEndpoint.ts';
import { type ExportForm, readForm, toDraft } from './exportForm.ts';
import type { StreamedConfig } from './joinStreams.ts';
import { reasonOf, unrecorded } from './messages.ts';
import { describeDestination, doRecorded, recordAction } from './ownEntries.ts';
import { sendForm } from './sendForm.ts';
import { findUnfilled } from './setup/unfilled.ts';
import { makeTestRequest } from './testRecord.ts';
import { describeTest, type TestWords } from './testWords.ts';

/** Longer than a working receiver takes, and short enough to wait for. */
const testTimeoutMs = 10_000;
const diagnosisMs = 4_000;
/** The page gives up waiting after 15 s. */
const longestMs = 13_000;

export const testNewDestination = onNew(test);
export const testDestination = onDestination(test);

async function test(visit: Visit, editor: ConfigEditor, destination: StreamedConfig | null): Promise<void> {
  const { request, response } = visit;
  const isFragment = isFragmentRequest(request);
  const form = applyFix(readForm(request.body), request.body?.fix);
  const tested = await runTest(visit, editor, destination, form);
  if (tested.kind === 'invalid') {
    // The whole form, in place of the result alone: its fields say what is wrong.
    if (isFragment) response.set({ 'HX-Retarget': '#drawer-body', 'HX-Reswap': 'innerMorph' });
    return await sendForm(visit, destination, form, { problems: tested.problems, status: 422 });
  }
  const view = makeTestView(visit, destination, tested.words, false);
  if (isFragment && fragmentTarget(request) === 'export-test') sendFragment(visit, 'export/test', view);
  else await sendForm(visit, destination, form, { test: view });
}

export function makeTestView(
  { organization }: Visit,
  destination: StreamedConfig | null,
  { remedies, ...words }: Words,
  asksToAdd: boolean,
): TestView {
  const testUrl = `${formUrl(organization, destination?.config ?? null)}/test`;
  const views = remedies.map(toRemedyView);
  return { frame: makeFrame(organization), testUrl, asksToAdd, ...words, remedies: views };
}

type Words = TestWords & Diagnosis;

type Tested =
  | { readonly kind: 'invalid'; readonly problems: readonly FieldProblem[] }
  /** No record was sent, because of the page or what it saves to. */
  | { readonly kind: 'not-sent'; readonly words: Words }
  /** None may be sent now. */
  | { readonly kind: 'limited'; readonly words: Words }
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
  const unfilled = findUnfilled(form);
  if (unfilled.length > 0) return { kind: 'invalid', problems: unfilled };
  const resolved = await editor.resolve(toDraft(form, { organization, current }));
  if (resolved.kind === 'invalid') return { kind: 'invalid', problems: resolved.problems };
  if (resolved.kind !== 'ok') return notSent(reasonOf(resolved));
  const mistake = findTypedMistake(form.values.endpoint);
  if (mistake?.losesRecords) {
    const words = { ...noWords, title: 'This path does not take logs', ...nothingFound };
    return { kind: 'sent', words: { ...words, remedies: [mistake.remedy] }, isDelivered: false };
  }
  const wait = visit.context.takeTest?.(visit) ?? null;
  if (wait !== null) return { ...notSent(wait), kind: 'limited' };
  const target = resolved.value;
  // The entry names where the record goes, whatever was posted for an endpoint of another owner.
  const about = describeDestination(current?.id ?? null, target.url.href);
  const gone = whenGone(visit.response);
  const sent = await doRecorded<Sent>(visit, { action: 'tested', about }, async (before) => {
    const agreed = await before();
    return agreed.kind === 'ok' ? { kind: 'ok', value: await send(visit, target, gone) } : agreed;
  });
  if (sent.kind !== 'ok') return notSent(reasonOf(sent));
  const { outcome, elapsedMs } = sent.value;
  const result = gone.aborted ? 'Cancelled' : nameResult(outcome);
  const isRecorded = await recordAction(visit, 'tested', { ...about, result });
  const words = describeTest(outcome, withoutQuery(target.url.href), elapsedMs);
  const isDelivered = result === 'Delivered';
  const diagnosis = isDelivered ? nothingFound : await diagnose(visit, form, target, { ...sent.value, gone });
  // What was found here says better what to do than what holds in general.
  const advice = diagnosis.remedies.length > 0 ? '' : words.advice;
  const told = isRecorded ? advice : `${advice} ${unrecorded.title}`.trim();
  return { kind: 'sent', words: { ...words, advice: told, ...diagnosis }, isDelivered };
}

const noWords = { tone: 'bad', title: 'Nothing was sent', message: '', advice: '' } as const;

function notSent(message: string): Extract<Tested, { kind: 'not-sent' }> {
  return { kind: 'not-sent', words: { ...noWords, message, ...nothingFound } };
}

/** What would have worked, within the time that a browser waits for the answer. */
async function diagnose(
  visit: Visit,
  form: ExportForm,
  target: Destination,
  { outcome, elapsedMs, gone }: Sent & { readonly gone: AbortSignal },
): Promise<Diagnosis> {
  const reason = nameResult(outcome) as FailureReason;
  if (reason === 'Unauthorized') {
    const remedy = findCredentialMistake(form);
    return remedy === null ? nothingFound : { ...nothingFound, remedies: [remedy] };
  }
  const leftMs = Math.max(1, Math.round(Math.min(diagnosisMs, longestMs - elapsedMs)));
  const signal = AbortSignal.any([gone, AbortSignal.timeout(leftMs)]);
  const { context, organization } = visit;
  return await lookAround(reason, { target, signal, organization, context });
}

interface Sent {
  readonly outcome: Awaited<ReturnType<WebContext['send']>>;
  readonly elapsedMs: number;
}

async function send(
  { context, organization, viewer }: Visit,
  target: Destination,
  gone: AbortSignal,
): Promise<Sent> {
  const startedAt = performance.now();
  const { serviceName, version } = context;
  const outcome = await context.send(
    { ...target, timeoutMs: Math.min(target.timeoutMs, testTimeoutMs) },
    makeTestRequest({ serviceName, version, organization, viewer, now: Date.now() }),
    // Waiting for a free connection ends, too.
    AbortSignal.any([gone, AbortSignal.timeout(testTimeoutMs + 1_000)]),
    organization,
  );
  return { outcome, elapsedMs: performance.now() - startedAt };
}

function nameResult(outcome: Sent['outcome']): string {
  if (outcome === 'aborted') return 'Timeout';
  if (outcome.kind !== 'settled') return outcome.reason;
  return outcome.rejected > 0 ? 'PartialSuccess' : 'Delivered';
}
