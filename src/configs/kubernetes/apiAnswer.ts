/** What came back from the API server. Failures are values: most of them pass, and what they mean depends on who asked. */

export type ApiFailure =
  /** It answered with another code than 2xx, or ended a watch with a Status of that code. */
  | {
      readonly kind: 'refused';
      readonly code: number;
      /** From its Status object; may name objects and users, never contents. */
      readonly message: string;
      readonly retryAfterMs: number | null;
      /** Absent where the answer was no Status object, as of a path that is not served. */
      readonly details?: RefusalDetails;
    }
  /** No usable answer: refused, reset, timed out, not JSON; or our own token cannot be read. */
  | { readonly kind: 'unreachable'; readonly message: string }
  /** We ended it. */
  | { readonly kind: 'aborted' };

/** What a Status object says for programs. */
export interface RefusalDetails {
  /** CamelCase: `Conflict`, `Invalid`, `NotFound`. */
  readonly reason: string;
  /** Resource, or kind, of the object that it is about; empty: of none. */
  readonly kind: string;
  readonly causes: readonly RefusalCause[];
}

export interface RefusalCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export type ApiAnswer<T = unknown> = { readonly kind: 'ok'; readonly body: T } | ApiFailure;

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

export type WatchAnswer = { readonly kind: 'open'; readonly events: AsyncIterable<WatchEvent> } | ApiFailure;

/** Nothing can be made in a namespace that is on its way out; that is no matter of rights, though it is answered as one (403). */
export function isNamespaceEnding(failure: ApiFailure): boolean {
  if (failure.kind !== 'refused' || failure.code !== 403) return false;
  return failure.details?.causes.some(({ reason }) => reason === 'NamespaceTerminating') ?? false;
}

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
