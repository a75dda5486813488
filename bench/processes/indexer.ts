/** The search's indexer in a separate process; it works only between "start" and "stop". */
import { makePool } from '../../src/database/pool.ts';
import { Secret } from '../../src/model/secret.ts';
import { type Indexer, indexAll, startIndexer } from '../../src/search/indexer.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';

const [databaseUrl = ''] = process.argv.slice(2);
const db = makePool({ url: () => new Secret(databaseUrl), size: 1, onIdleError: () => {} });
const log = makeLogger({ level: 'warn' });
let indexer: Indexer | undefined;

process.on('message', async (message) => {
  // Work that exists before the start is not measured.
  if (message === 'catch-up') await indexAll(db, { share: 1 });
  else if (message === 'start') indexer ??= startIndexer({ db, log });
  else {
    await indexer?.stop();
    indexer = undefined;
  }
  process.send?.('done');
});
process.on('disconnect', () => process.exit());
