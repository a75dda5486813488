/**
 * One audit entry as Postgres sent it. Text stays UTF-8 bytes all the way to the receiver: nothing is decoded,
 * so nothing can be rounded or re-spelled on the way.
 */
export interface Entry {
  /** Postgres transaction that wrote it; with `id` the order inside a window. */
  readonly xid: bigint;
  readonly id: bigint;
  /** 16 bytes. */
  readonly uid: Uint8Array;
  readonly eventType: Uint8Array;
  readonly actorId: Uint8Array | null;
  readonly actorName: Uint8Array | null;
  readonly sessionType: Uint8Array;
  /** null: an action on the organization itself. */
  readonly project: Uint8Array | null;
  /** JSON text as jsonb prints it. */
  readonly metadata: Uint8Array;
  /** Microseconds since the Unix epoch, Postgres's own resolution; 0 ≤ value < 2^53. */
  readonly occurredAtMicros: number;
}

/** What a record has besides the columns of its entry; stored with the window, so that a repeat is byte-identical. */
export interface RecordContext {
  /** 1, 2, 3 … in the stream: a gap at the receiver proves loss. */
  readonly sequence: number;
  /** When the entry's window was pinned, microseconds since the Unix epoch. */
  readonly observedAtMicros: number;
}

/** Who the records speak for: the constant part of every request of one stream. */
export interface StreamIdentity {
  readonly serviceName: string;
  readonly organization: string;
  readonly streamId: string;
  /** Version of this program, the scope's version. */
  readonly version: string;
  /** The records are not entries: each has the attribute `audit.test` = true. */
  readonly isTest?: boolean;
  /** Entries that are sent once more, because somebody asked for it: each record has it as `audit.replay.id`. */
  readonly replayId?: string;
}
