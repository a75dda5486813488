/** Describes the result of a test: every outcome has its own words. */
import type { Outcome } from '../../model/outcome.ts';
import { adviceFor, type FailureReason, failureReasons, type RequestRow } from '../../model/reasons.ts';
import type { TestView } from '../views/formViews.ts';

export type TestWords = Pick<TestView, 'tone' | 'title' | 'message' | 'advice'>;

/** `url` is what was posted to, without its query; `elapsedMs` how long it took. */
export function describeTest(outcome: Outcome | 'aborted', url: string, elapsedMs: number): TestWords {
  if (outcome === 'aborted') {
    return { tone: 'bad', ...wordsFor('Timeout'), message: `${url} did not answer within 10 seconds.` };
  }
  switch (outcome.kind) {
    case 'settled':
      return outcome.rejected > 0
        ? {
            tone: 'warn',
            ...wordsFor('PartialSuccess'),
            message: `${url} took the request, but will not keep the record.${says(outcome.message)}`,
          }
        : {
            tone: 'good',
            title: 'Delivered',
            message: `${url} took the test record in ${Math.round(elapsedMs)} ms.${says(outcome.message)}`,
            advice: 'Look there for a record with the event name audit_export.test.',
          };
    case 'retry':
    case 'hold':
    case 'too-large':
    case 'refused':
      return { tone: 'bad', ...wordsFor(outcome.reason), message: outcome.message };
  }
}

function wordsFor(reason: FailureReason): Pick<TestWords, 'title' | 'advice'> {
  const { testTitle, testAdvice }: RequestRow = failureReasons[reason];
  return { title: testTitle, advice: testAdvice ?? adviceFor(reason) };
}

function says(words: string): string {
  return words === '' ? '' : ` It says: "${words}"`;
}
