/** What can be compared with a ledger: the files of one copy, or the table. */
import type { Database } from '../database/pool.ts';
import {
  findAbandonedLedger,
  listUnsealable,
  readLetGo,
  readSealedRows,
  readTableLedger,
} from '../database/tableLedger.ts';
import { Fingerprinter } from '../ledger/fingerprint.ts';
import { unreadFingerprint } from '../ledger/readLeaves.ts';
import { openSource } from './copySource.ts';
import { findOtherLedger, readNewerLeaves } from './databaseLedger.ts';
import { count } from './findings.ts';
import { readLetGoNote } from './letGo.ts';
import { readCopy } from './readCopy.ts';
import { SealedEntries } from './sealedEntries.ts';
import { formatUid, parseUid } from './uid.ts';
import type { ReadCopies } from './verifyCopies.ts';

/**
 * One copy, in as many files as it has, in any order; a file may be a URL.
 *
 * @param headers of each request to a URL.
 */
export function filesOf(
  files: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): ReadCopies {
  return async ({ comparison, report, tell, progress, takenAt }) => {
    for (const file of files) {
      const source = openSource(file, headers);
      takenAt(await source.takenAtMs());
      const format = await readCopy(source, comparison, tell, (part) =>
        progress(
          () =>
            `${source.name}: ${part === null ? '' : `${Math.floor(part * 100)} %, `}${count(comparison.records)} records.`,
        ),
      );
      report.copy(source.name, format?.title ?? 'empty');
    }
  };
}

const table = 'the table';

/**
 * Every entry of the organization that its ledger could have sealed: selected by organization, so that one that was moved away is missing,
 * and visible in what the ledger has settled, so that one that slipped in is not taken for a new one.
 *
 * @throws Error a sentence, or the database's error.
 */
export function rowsOf(db: Database, organization: string): ReadCopies {
  return async ({ checkpoint, comparison, report, tell, progress }) => {
    const ledger = await readTableLedger(db, organization);
    if (ledger === null) throw new Error(noLedger(organization));
    const other = await findOtherLedger(db, ledger, checkpoint);
    if (other !== null) tell({ kind: 'other-ledger', problem: other });
    const abandoned = await findAbandonedLedger(db, organization);
    if (abandoned !== null)
      tell({
        kind: 'other-ledger',
        problem: `The organization's ledger ${abandoned} ended, and no other follows it: somebody has put a new one in its place without audit.restart_ledger.`,
      });
    if (ledger.follows !== null)
      report.note(`This ledger replaces ${ledger.follows}: only that one shows what was changed before.`);
    const newer = new SealedEntries(await readNewerLeaves(db, ledger, checkpoint.size));
    const fingerprinter = new Fingerprinter();
    let newerSeen = 0;
    await readSealedRows(db, ledger, (row) => {
      const isRead = row.kind === 'entry';
      const uid = formatUid(isRead ? row.entry.uid : row.uid);
      const entryId = String(isRead ? row.entry.id : row.id);
      const words = newer.size === 0 ? null : parseUid(uid);
      if (words !== null && newer.has(words, entryId) && !comparison.has(words, entryId)) {
        newerSeen++;
        return;
      }
      const fingerprint = isRead ? fingerprinter.fingerprint(row.entry) : unreadFingerprint;
      comparison.see(
        {
          uid,
          entryId,
          place: null,
          isTest: false,
          matches: (sealed) => Buffer.compare(sealed, fingerprint) === 0,
          letGo: isRead
            ? readLetGoNote(Buffer.from(row.entry.eventType).toString(), () =>
                Buffer.from(row.entry.metadata).toString(),
              )
            : null,
        },
        { file: isRead ? table : `${table}, where it cannot be read any more`, line: null },
      );
      progress(() => `${table}: ${count(comparison.records)} entries.`);
    });
    for (const [first, last] of await readLetGo(db, ledger.id)) comparison.addLetGo(first, last);
    const at = { file: `${table}, in a transaction or cluster that was never its own`, line: null };
    for (const { id, uid } of await listUnsealable(db, ledger.id))
      tell({ kind: 'not-sealed', entryId: id, uid, at });
    if (newerSeen > 0)
      report.note(
        `${count(newerSeen)} newer ${newerSeen === 1 ? 'entry is' : 'entries are'} sealed behind this checkpoint, and not judged.`,
      );
    report.copy(table, 'the entries themselves');
  };
}

/** Why nothing can be compared. */
export function noLedger(organization: string): string {
  return `The organization ${JSON.stringify(organization)} has no ledger in this database: correct the name, or wait until the collector has sealed its first entries.`;
}
