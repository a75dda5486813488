/** What handlers get besides the request. */
import type { ConfigEditor } from '../configs/configEditor.ts';
import type { Database } from '../database/pool.ts';
import type { Destination } from '../model/exportConfig.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface WebContext {
  /** The page's own connections, so that a slow search takes none from the delivery. */
  readonly db: Database;
  /** undefined: the config source is read-only. */
  readonly editor: ConfigEditor | undefined;
  /** One attempt, through the guarded transport that deliveries use, and what its answer means. */
  readonly send: (
    destination: Destination,
    body: Uint8Array,
    signal: AbortSignal,
    organization: string,
  ) => Promise<Outcome | 'aborted'>;
  /** Destinations of one organization. Default 10. */
  readonly maxDestinations?: number;
  readonly serviceName: string;
  readonly version: string;
  readonly log: Logger;
}
