/** What the database knows of an entry that a receiver's copy lacks, and of a record that the checkpoint does not have. */
import { isEntryId } from '../database/cursor.ts';
import { readDeliveries } from '../database/deliveries.ts';
import type { Database } from '../database/pool.ts';
import { isUnsettled, readTableLedger } from '../database/tableLedger.ts';
import type { Checkpoint } from '../ledger/checkpoint.ts';
import type { Excuse, Explain } from './comparison.ts';
import { noLedger } from './copies.ts';
import { readNewerLeaves } from './databaseLedger.ts';
import { SealedEntries } from './sealedEntries.ts';
import { parseUid } from './uid.ts';

/** Streams of deleted configs that are looked at, the newest first. */
const mostStreams = 50;
const inOrder: readonly Excuse[] = ['parked', 'pending', 'excluded', 'before-start'];

/**
 * @param takenAtMs what was delivered later need not be in the copy.
 * @throws the database's error.
 */
export async function makeExplain(
  db: Database,
  organization: string,
  checkpoint: Checkpoint,
  takenAtMs: number,
): Promise<Explain> {
  const ledger = await readTableLedger(db, organization);
  if (ledger === null) throw new Error(noLedger(organization));
  const newer = new SealedEntries(await readNewerLeaves(db, ledger, checkpoint.size));
  return {
    missing: async ({ entryId }, streams) => {
      const deliveries = await readDeliveries(db, organization, entryId, {
        current: [],
        mostOthers: mostStreams,
      });
      const excuses = deliveries
        .filter(({ streamId }) => streams.has(streamId))
        .map(({ state }): Excuse | null => {
          switch (state.kind) {
            case 'delivered': {
              const isLater = state.notAfter !== null && Date.parse(state.notAfter) > takenAtMs;
              return isLater ? 'pending' : null;
            }
            case 'unrecorded':
              return null;
            default:
              return state.kind;
          }
        });
      // One stream that has delivered it is enough for it to be here.
      return excuses.includes(null) ? null : (inOrder.find((excuse) => excuses.includes(excuse)) ?? null);
    },
    isNewer: async (uid, entryId) => {
      const words = parseUid(uid);
      if (words === null) return false;
      if (newer.has(words, entryId)) return true;
      return entryId !== null && isEntryId(entryId) && isUnsettled(db, ledger, { id: entryId, uid });
    },
  };
}
