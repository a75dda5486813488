/** What can be compared with a ledger: the files of one copy, or rows of the table. */
import { count } from './findings.ts';
import { readCopy } from './readCopy.ts';
import { formatUid } from './uid.ts';
import type { ReadCopies } from './verifyCopies.ts';

/** An entry as it is in the table now. */
export interface TableRow {
  readonly entryId: bigint;
  /** 16 bytes. */
  readonly uid: Uint8Array;
  /** `Fingerprinter.fingerprint` of the row. */
  readonly fingerprint: Uint8Array;
}

/** One copy, in as many files as it has, in any order. */
export function filesOf(files: readonly string[]): ReadCopies {
  return async ({ comparison, report, tell, progress }) => {
    for (const file of files) {
      const format = await readCopy(file, comparison, tell, (part) =>
        progress(() => `${file}: ${Math.floor(part * 100)} %, ${count(comparison.records)} records.`),
      );
      report.copy(file, format?.title ?? 'empty');
    }
  };
}

/**
 * Every entry of the organization that the ledger could have sealed: selected by organization, so that one that was moved away is
 * missing, and visible in the ledger's settled snapshot, so that one that slipped in is not taken for a new one.
 *
 * @param name what a finding calls the place, such as `the table`.
 */
export function rowsOf(rows: AsyncIterable<TableRow>, name: string): ReadCopies {
  return async ({ comparison, report, progress }) => {
    for await (const { entryId, uid, fingerprint } of rows) {
      const record = {
        uid: formatUid(uid),
        entryId: String(entryId),
        place: null,
        isTest: false,
        matches: (sealed: Uint8Array) => Buffer.compare(sealed, fingerprint) === 0,
      };
      comparison.see(record, { file: name, line: null });
      progress(() => `${name}: ${count(comparison.records)} entries.`);
    }
    report.copy(name, 'the entries themselves');
  };
}
