/** Puts the page together: who may come in, what it reads and writes through, and the index that its search goes by. */
import type { ConfigSource } from './configs/configSource.ts';
import type { Database } from './database/pool.ts';
import type { Send } from './delivery/send.ts';
import type { Settings } from './settings/table.ts';
import { programVersion } from './settings/version.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Transport } from './transport/transport.ts';

export interface Page {
  readonly port: number;
  /** Before its database pool ends. */
  stop(): Promise<void>;
}

/** null: there is none. @throws Error one sentence naming the setting. */
export async function startPage(
  settings: Settings,
  parts: {
    db: Database;
    source: ConfigSource;
    send: Send;
    transport: Transport;
    log: Logger;
    metrics: Metrics;
  },
): Promise<Page | null> {
  if (settings.pageAddress === null) return null;
  // Only where it is used: a collector without a page does not pay for it.
  const { startPageServer } = await import('./web/pageServer.ts');
  const { startIndexer } = await import('./search/indexer.ts');
  const { makeAuthenticator } = await import('./web/auth/makeAuthenticator.ts');
  const { db, source, send, transport, log, metrics } = parts;
  const authenticator = makeAuthenticator(settings, { db, log });
  const page = await startPageServer({
    address: settings.pageAddress,
    authenticator,
    publicOrigin: settings.publicOrigin,
    observe: metrics.observePageRequest,
    context: {
      db,
      editor: source.editor,
      send: (destination, body, signal, organization) => send(destination, body, signal, { organization }),
      inspect: (destination, signal, organization) =>
        transport.inspect({ destination, signal, organization }),
      maxDestinations: settings.maxDestinations,
      pace: { retryMs: settings.retryMaxMs, holdMs: settings.holdMaxMs },
      serviceName: settings.serviceName,
      version: programVersion,
      log,
    },
  });
  if (page.kind === 'failed') throw new Error(page.problem);
  const indexer = startIndexer({ db, log, onHeldBack: metrics.setSearchHeldBack });
  return {
    port: page.port,
    async stop() {
      await Promise.all([page.close(), indexer.stop()]);
    },
  };
}
