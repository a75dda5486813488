/** The pools of a collector: each use has connections of its own, so that none waits for another. */
import type { Secret } from '../model/secret.ts';
import { followUrl } from './followUrl.ts';
import { type Database, makePool } from './pool.ts';

export interface Pools {
  /** For leases, the poll, probes and notes. */
  readonly control: Database;
  readonly streams: Database;
  /** For the page: a slow search takes no connection from the delivery. */
  readonly page: Database;
}

const controlConnections = 2;
const pageConnections = 4;

export interface PoolsOptions {
  /** May give another user or another password from one moment to the next. */
  readonly url: () => Secret;
  /** Connections of the delivery: those for control, the rest for the streams, at least one. */
  readonly size: number;
  readonly onIdleError: (error: Error) => void;
  /** The URL names another server, database or option, and so it is not used. Called once for each such URL. */
  readonly onElsewhere: () => void;
}

export function openPools({ url: read, size, onIdleError, onElsewhere }: PoolsOptions): Pools {
  const url = followUrl(read, onElsewhere);
  const streamConnections = Math.max(1, size - controlConnections);
  return {
    control: makePool({ url, size: controlConnections, onIdleError }),
    // A thousand streams that catch up wait for their turn rather than call the database broken.
    streams: makePool({ url, size: streamConnections, onIdleError, waitMs: 60_000 }),
    page: makePool({ url, size: pageConnections, onIdleError }),
  };
}

export async function endPools({ control, streams, page }: Pools): Promise<void> {
  await Promise.all([control.end(), streams.end(), page.end()]);
}
