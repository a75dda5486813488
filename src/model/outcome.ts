/**
 * What one delivery attempt came to. Decided in one place, `otlp/classify.ts`; everything after it switches on `kind`.
 */
export type Outcome = Settled | Retry | Hold | TooLarge | Refused;

/** The receiver has taken the batch; `rejected` of its records it will not keep, and it does not say which. */
export interface Settled {
  readonly kind: 'settled';
  readonly rejected: number;
  /** The receiver's own words, empty when it had none. */
  readonly message: string;
}

/** The batch did not get through, for whatever reason. */
export type Failed = Exclude<Outcome, Settled>;

interface Failure {
  /** CamelCase, from `FailureReason`. */
  readonly reason: FailureReason;
  /** One or two sentences: what happened and what a person must do. Never holds a header value or more than 500 characters of an answer. */
  readonly message: string;
  /** Absent when no answer came. */
  readonly httpStatus?: number;
}

/** Will pass by itself: back off and try for ever. */
export interface Retry extends Failure {
  readonly kind: 'retry';
  /** The receiver's own wish, clamped; the wait is the larger of this and our back-off. */
  readonly retryAfterMs?: number;
}

/** Needs a person (or a changed spec or Secret): keep everything, probe slowly. */
export interface Hold extends Failure {
  readonly kind: 'hold';
}

/** The batch has too many bytes: send less at once. */
export interface TooLarge extends Failure {
  readonly kind: 'too-large';
}

/** Something in the batch (or the configuration) is not accepted: bisect to find out which. */
export interface Refused extends Failure {
  readonly kind: 'refused';
}

/** Every reason a delivery can fail with; also the reason of the Ready condition and the label of the retry metric. */
export type FailureReason =
  | 'RateLimited' // 429
  | 'ReceiverUnavailable' // 408, 425, 5xx
  | 'Timeout'
  | 'ConnectionRefused'
  | 'ConnectionFailed' // reset, unreachable, closed early, malformed HTTP
  | 'DnsFailed'
  | 'TlsFailed'
  | 'AddressRefused' // by our own address guard
  | 'Unauthorized' // 401
  | 'Forbidden' // 403
  | 'NotFound' // 404
  | 'MethodNotAllowed' // 405
  | 'ProxyAuthenticationRequired' // 407
  | 'UnsupportedMediaType' // 415
  | 'Redirected' // 3xx
  | 'NotOtlp' // 2xx, but not an OTLP answer
  | 'AnswerTooLarge' // over 64 KiB, or over what is read of a connection
  | 'TooLarge' // 413, or 400 that says so
  | 'EntryRefused' // 400, 422, other 4xx
  | 'EntryUnreadable' // one row that Postgres cannot read
  | 'EntryTooLarge' // one row of more text than is read
  | 'EntryMissing'; // a parked entry whose row is gone
