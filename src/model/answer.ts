/** What came back from one HTTP attempt, before anyone judges it (that is `otlp/classify.ts`). */
export type Answer = Response | NoAnswer;

export interface Response {
  readonly kind: 'response';
  readonly status: number;
  /** Lower-case names; a repeated header is joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decompressed; at most 64 KiB. */
  readonly body: Uint8Array;
  /** True: the body went on past the limit and was cut. */
  readonly truncated: boolean;
}

/** No usable answer: the request may or may not have been processed. */
export interface NoAnswer {
  readonly kind: 'no-answer';
  readonly cause:
    | 'timeout'
    | 'dns'
    | 'refused'
    | 'connection' // reset, unreachable, closed early, malformed HTTP
    | 'tls'
    | 'address-refused'
    | 'too-large' // more than is read of an answer, and no status among it
    | 'aborted'; // our own shutdown
  /** One sentence naming host, port or code; never a header value. */
  readonly message: string;
}
