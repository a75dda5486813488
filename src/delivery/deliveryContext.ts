/** What all streams of the process share. */
import type { BackoffLimits } from '../basics/backoff.ts';
import type { Database } from '../database/pool.ts';
import type { StreamFailure } from '../model/streamHealth.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { BufferPool } from './bufferPool.ts';
import type { ByteBudget } from './byteBudget.ts';
import type { Linger } from './linger.ts';
import type { ReadPlaces } from './readPlaces.ts';
import type { Send } from './send.ts';
import type { TrickleReads } from './trickleReads.ts';

export interface DeliveryContext {
  readonly db: Database;
  readonly send: Send;
  /** Connections of `db` by organization, for every read of entries. */
  readonly reads: ReadPlaces;
  /** For those that are read together. */
  readonly trickles: TrickleReads;
  readonly budget: ByteBudget;
  readonly buffers: BufferPool;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly options: DeliveryOptions;
  /** False: this replica's lease may have expired; nothing may be sent until it is renewed. */
  readonly isLeaseValid: () => boolean;
  /** Why nothing that a stream says about itself can be relied on; null: it can. */
  readonly missingEvidence: () => StreamFailure | null;
  /** Milliseconds since the Unix epoch; default: the clock of the machine. */
  readonly now?: () => number;
  /** Gathers entries between two small windows. */
  readonly linger: Linger;
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
