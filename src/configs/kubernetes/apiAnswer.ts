/** What the API server answered. Failures are values: most of them pass, and what they mean depends on the request. */

export type ApiFailure =
  /** Its answer had a code other than 2xx, or it ended a watch with a Status of that code. */
  | {
      readonly kind: 'refused';
      readonly code: number;
      /** Taken from its Status object; it may name objects and users, never contents. */
      readonly message: string;
      readonly retryAfterMs: number | null;
      /** Absent where the answer was not a Status object, as for a path that is not served. */
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
  /** Resource, or kind, of the object that it is about; empty: it is about none. */
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

/** Nothing can be created in a namespace that is being deleted. The server answers 403, though it is not a matter of rights. */
export function isNamespaceEnding(failure: ApiFailure): boolean {
  if (failure.kind !== 'refused' || failure.code !== 403) return false;
  return failure.details?.causes.some(({ reason }) => reason === 'NamespaceTerminating') ?? false;
}

/** Whether both say the same to people; null: nothing has failed. */
export function isSameFailure(a: ApiFailure | null, b: ApiFailure | null): boolean {
  return (a && describeFailure(a)) === (b && describeFailure(b));
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
