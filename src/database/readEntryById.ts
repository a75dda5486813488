/** Reads one entry by its id, for a replay and for judging one that a page cannot read. */
import pg from 'pg';
import type { Entry } from '../model/entry.ts';
import type { StreamRow } from '../model/stream.ts';
import type { CopyLimits } from './copyOut.ts';
import type { Database } from './pool.ts';
import { copyProven, entryFields, toEntry, withProof } from './provenCopy.ts';

/** What became of one entry that was asked for by its id. */
export type EntryRead =
  | { readonly kind: 'read' }
  /** The organization has no such entry. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'oversize'; readonly bytes: number }
  | { readonly kind: 'unreadable'; readonly error: unknown }
  /** Another replica has the stream. */
  | { readonly kind: 'stale' };

/**
 * Hands on one entry of the stream's organization, synchronously and not to be kept.
 *
 * @throws NotPrimaryError when it was read elsewhere than on the primary; the database's error when nothing at all came back.
 */
export async function readEntryById(
  db: Database,
  stream: Pick<StreamRow, 'id' | 'token' | 'organization'>,
  id: bigint,
  limits: CopyLimits,
  onEntry: (entry: Entry) => void,
): Promise<EntryRead> {
  const { escapeLiteral } = pg;
  let isRead = false;
  const select = withProof(
    `audit.streams where id = ${escapeLiteral(stream.id)} and token = ${BigInt(stream.token)}`,
    `${entryFields('true')} from audit.entries where id = ${id}::bigint and organization = ${escapeLiteral(stream.organization)} limit 1`,
  );
  const onRow = (row: Parameters<typeof toEntry>[0]): undefined => {
    onEntry(toEntry(row));
    isRead = true;
  };
  const end = await copyProven(db, select, onRow, limits);
  switch (end.kind) {
    case 'done':
    case 'stopped':
      return { kind: isRead ? 'read' : 'missing' };
    case 'broken':
      return { kind: 'unreadable', error: end.error };
    case 'oversize':
    case 'stale':
      return end;
  }
}
