/** What every part of the delivery works with. */
import type { BackoffLimits } from '../basics/backoff.ts';
import type { Database } from '../database/pool.ts';
import type { Destination, ExportConfig } from '../model/exportConfig.ts';
import type { Outcome } from '../model/outcome.ts';
import type { StreamRow } from '../model/stream.ts';
import type { StreamFailure } from '../model/streamHealth.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { BufferPool } from './bufferPool.ts';
import type { ByteBudget } from './byteBudget.ts';
import type { ReadPlaces } from './readPlaces.ts';

/** One delivery attempt and its judgement; never throws for anything a receiver does. `body` holds `records` records. */
export type Send = (
  destination: Destination,
  body: Uint8Array,
  records: number,
  signal: AbortSignal,
  options?: SendOptions,
) => Promise<Outcome | 'aborted'>;

export interface SendOptions {
  /** Whose share of the receiver's connections is used. */
  readonly stream?: string;
  /** Whose share of DNS look-ups is used. */
  readonly organization?: string;
  /** True: over a new connection, which may reach another server of the same name. */
  readonly freshConnection?: boolean;
}

/** Shared by all streams of the process. */
export interface DeliveryContext {
  readonly db: Database;
  readonly send: Send;
  /** Connections of `db` by organization; for whatever reads entries. */
  readonly reads: ReadPlaces;
  readonly budget: ByteBudget;
  readonly buffers: BufferPool;
  readonly log: Logger;
  readonly options: DeliveryOptions;
  /** False: this replica's lease may have expired; nothing may be sent until it is renewed. */
  readonly isLeaseValid: () => boolean;
  /** Why nothing that a stream says of itself can be relied on; null: it can. */
  readonly missingEvidence: () => StreamFailure | null;
  /** How long a stream gathers entries between two small windows. */
  readonly lingerMs: () => number;
}

export interface DeliveryOptions {
  readonly serviceName: string;
  readonly version: string;
  readonly maxBatchBytes: number;
  /** Requests per stream that may wait for their answer at once. */
  readonly maxRequestsInFlight: number;
  readonly retry: BackoffLimits;
  readonly hold: BackoffLimits;
}

/** A stream under delivery: what its row says, kept in step with every write. */
export interface ActiveStream {
  row: StreamRow;
  config: ExportConfig;
}
