/** The SQL of one page of a window. */
import pg from 'pg';
import { isVisible, parseSnapshot, type Snapshot } from '../model/snapshot.ts';
import type { Position, StreamRow, Window } from '../model/stream.ts';
import { filterCondition } from './filterCondition.ts';
import { entryFields, headFields, withProof } from './provenCopy.ts';

/** COPY takes no parameters: whatever goes into the text is a number or a quoted literal. */
const literal = pg.escapeLiteral;

/**
 * Whose window it is, with what shows in the page's own snapshot that the row is still at it. A stream has its lease besides; a
 * ledger does not need one, since its size and position move by compare-and-set.
 */
export type WindowOwner = (StreamRow | LedgerWindow) & { readonly window: Window };

/** A ledger whose window is pinned. */
export interface LedgerWindow extends Pick<StreamRow, 'id' | 'organization' | 'cluster' | 'settled'> {
  readonly token?: undefined;
}

/** `heads`: without the entries' texts; `bare heads`: without asking the filter either. */
export type PagePart = 'entries' | 'heads' | 'bare heads';

/** What is read of an entry. */
export const entryColumns =
  'xid, id, uid, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at';

/** Two bounded branches and never an OR: measured 5 ms against 384 ms for a page of 1,000. */
export function pageQuery(
  stream: WindowOwner,
  after: Position | null,
  maxRows: number,
  part: PagePart = 'entries',
): string {
  const settled = parseSnapshot(stream.settled);
  const window = parseSnapshot(stream.window.snapshot);
  const visible = `pg_visible_in_snapshot(xid, ${literal(stream.window.snapshot)})`;
  const of = `organization = ${literal(stream.organization)} and cluster = ${BigInt(stream.cluster)}`;
  const past = after ? `(xid, id) > ('${after.xid}'::xid8, ${after.id}::bigint)` : 'true';
  const branch = (range: string): string =>
    `(select ${entryColumns} from audit.entries where ${of} and ${range} and ${visible} order by xid, id limit ${maxRows})`;

  const branches: string[] = [];
  const late = lateTransactions(settled, window).filter((xid) => !after || xid >= after.xid);
  if (after && late.includes(after.xid)) {
    branches.push(branch(`xid = '${after.xid}'::xid8 and id > ${after.id}::bigint`));
  }
  const untouched = late.filter((xid) => xid !== after?.xid);
  if (untouched.length > 0) {
    // One index range after the other, read no further than the page needs. As one list, Postgres before 17 reads all
    // of them and sorts: measured 4,700 pages instead of 50 behind a late transaction of 200,000 entries.
    branches.push(`(select ${entryColumns.replaceAll(/\w+/g, 'e.$&')}
      from (select x from unnest('{${untouched.join(',')}}'::xid8[]) x order by x) late
      cross join lateral (select ${entryColumns} from audit.entries
        where ${of} and xid = late.x and ${visible} order by id limit ${maxRows}) e
      order by late.x, e.id limit ${maxRows})`);
  }
  // One lower bound, never two: of two Postgres starts at the row comparison, and behind a position in a late transaction
  // that walks through everything settled since.
  const isInRange = after && after.xid >= settled.xmax;
  const from = isInRange ? past : `xid >= '${settled.xmax}'::xid8`;
  branches.push(branch(`${from} and xid < '${window.xmax}'::xid8`));

  const fields = part === 'entries' ? entryFields('matches') : headFields;
  const matches = part === 'bare heads' ? 'null::boolean' : filterCondition(stream.window.filter);
  const atWindow = `id = ${literal(stream.id)} and window_snapshot::text = ${literal(stream.window.snapshot)}`;
  return withProof(
    stream.token === undefined
      ? `audit.ledgers where ${atWindow}`
      : `audit.streams where ${atWindow} and token = ${BigInt(stream.token)}`,
    `${fields} from (select *, ${matches} as matches from (${branches.join(' union all ')}) as page) as page
    order by xid, id limit ${maxRows}`,
  );
}

/** Transactions that were open when `settled` was taken and have ended since. */
export function lateTransactions(settled: Snapshot, window: Snapshot): bigint[] {
  return settled.xip.filter((xid) => isVisible(xid, window));
}
