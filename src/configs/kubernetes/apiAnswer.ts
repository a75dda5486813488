/** What came back from the API server. Failures are values: most of them pass, and what they mean depends on who asked. */

export type ApiFailure =
  /** It answered with another code than 2xx, or ended a watch with a Status of that code. */
  | {
      readonly kind: 'refused';
      readonly code: number;
      /** From its Status object; may name objects and users, never contents. */
      readonly message: string;
      readonly retryAfterMs: number | null;
    }
  /** No usable answer: refused, reset, timed out, not JSON; or our own token cannot be read. */
  | { readonly kind: 'unreachable'; readonly message: string }
  /** We ended it. */
  | { readonly kind: 'aborted' };

export type ApiAnswer<T = unknown> = { readonly kind: 'ok'; readonly body: T } | ApiFailure;

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

export type WatchAnswer = { readonly kind: 'open'; readonly events: AsyncIterable<WatchEvent> } | ApiFailure;

/** For a log line. */
export function describeFailure(failure: ApiFailure): string {
  switch (failure.kind) {
    case 'refused':
      return `the API server answered ${failure.code}: ${failure.message}`;
    case 'unreachable':
      return failure.message;
    case 'aborted':
      return 'the collector is stopping';
  }
}
