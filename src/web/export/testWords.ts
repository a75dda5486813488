/** What a test came to, in words: every outcome has its own. */
import type { FailureReason, Outcome } from '../../model/outcome.ts';
import { adviceFor } from '../../status/advice.ts';
import type { TestView } from '../views/exportViews.ts';

type Words = Omit<TestView, 'frame'>;

const titles: Readonly<Record<FailureReason, string>> = {
  RateLimited: 'The receiver takes no more at the moment',
  ReceiverUnavailable: 'The receiver cannot take it at the moment',
  Timeout: 'No answer in time',
  ConnectionRefused: 'Nothing listens there',
  ConnectionFailed: 'The connection broke',
  DnsFailed: 'The host name was not found',
  TlsFailed: 'No secure connection',
  AddressRefused: 'This address may not be used',
  Unauthorized: 'The receiver does not accept the credentials',
  Forbidden: 'The credentials may not write logs',
  NotFound: 'Nothing is at this path',
  MethodNotAllowed: 'What is at this path takes no logs',
  ProxyAuthenticationRequired: 'A proxy wants credentials',
  UnsupportedMediaType: 'The receiver does not take this format',
  Redirected: 'The receiver is somewhere else',
  NotOtlp: 'What answered is not an OTLP receiver',
  AnswerTooLarge: 'What answered is not an OTLP receiver',
  TooLarge: 'The receiver finds even one record too large',
  EntryRefused: 'The receiver refused the record',
  EntryUnreadable: 'The entry cannot be read',
  EntryTooLarge: 'The entry is too large',
  EntryMissing: 'The entry is gone',
};

/** `url` is what was posted to, without its query; `elapsedMs` how long it took. */
export function describeTest(outcome: Outcome | 'aborted', url: string, elapsedMs: number): Words {
  if (outcome === 'aborted') {
    return {
      tone: 'bad',
      title: titles.Timeout,
      message: `${url} did not answer within 10 seconds.`,
      advice: adviceFor('Timeout'),
    };
  }
  switch (outcome.kind) {
    case 'settled':
      return outcome.rejected > 0
        ? {
            tone: 'warn',
            title: 'The receiver answered, and rejected the record',
            message: `${url} took the request, but will not keep the record.${says(outcome.message)}`,
            advice: adviceFor('PartialSuccess'),
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
      return {
        tone: 'bad',
        title: titles[outcome.reason],
        message: outcome.message,
        advice: adviceForTest(outcome.reason),
      };
  }
}

/** "It is tried again by itself" is true of entries, not of a test. */
function adviceForTest(reason: FailureReason): string {
  switch (reason) {
    case 'RateLimited':
    case 'ReceiverUnavailable':
      return 'Try again in a moment; if it lasts, tell the operator of the receiver.';
    case 'EntryRefused':
      return 'Look at what the receiver says: the headers or the endpoint may be wrong.';
    case 'TooLarge':
      return 'Ask the operator of the receiver to take larger requests.';
    default:
      return adviceFor(reason);
  }
}

function says(words: string): string {
  return words === '' ? '' : ` It says: "${words}"`;
}
