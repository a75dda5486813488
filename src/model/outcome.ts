/** What one delivery attempt came to. Decided in one place, `otlp/classify.ts`; everything after it switches on `kind`. */
import type { FailureReason } from './reasons.ts';

export type Outcome = Settled | Failed;

/** The receiver has taken the batch. It will not keep `rejected` of the records, and does not say which. */
export interface Settled {
  readonly kind: 'settled';
  readonly rejected: number;
  /** The receiver's own words, empty when it had none. */
  readonly message: string;
}

/** The batch did not get through. */
export type Failed = Retry | Refused;

interface Failure {
  readonly reason: FailureReason;
  /**
   * One or two sentences: what happened. What a person does about it is the advice of the reason. Never holds a header value or
   * more than 500 characters of an answer.
   */
  readonly message: string;
  /** Absent when no answer came. */
  readonly httpStatus?: number;
}

/** Will pass: back off and try for ever. */
interface Retry extends Failure {
  readonly kind: 'retry';
  /** The receiver's own wish, clamped; the wait is the larger of this and our back-off. */
  readonly retryAfterMs?: number;
}

interface Refused extends Failure {
  readonly kind:
    | 'hold' // needs a person (or a changed spec or Secret): keep everything, probe slowly
    | 'too-large' // the batch has too many bytes: send less at once
    | 'refused'; // something in the batch (or the configuration) is not accepted: bisect to find out which
}
