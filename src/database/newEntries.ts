/**
 * Counts what was committed since a list was read, by snapshot and not by date: an entry dated in the future does not hide others, and
 * an entry that commits late still counts as new.
 */
import { z } from 'zod';
import { isVisible, parseSnapshot } from '../model/snapshot.ts';
import { boundedRead, isTooMuch } from './boundedRead.ts';
import { decodeToken, encodeToken } from './cursor.ts';
import { type EntryQuery, entryCondition, hasNul } from './entryQuery.ts';
import { Parameters } from './parameters.ts';
import type { Database } from './pool.ts';
import { inRange, prepareQuery } from './searchEntries.ts';
import { sharedRead } from './shares.ts';

/** The moment when a list was read. */
export interface Mark {
  readonly cluster: string;
  /** pg_snapshot as text. */
  readonly snapshot: string;
}

const most = 9_223_372_036_854_775_807n;
const mostLength = 1_500;
const snapshotSchema = z
  .string()
  .max(mostLength)
  .regex(/^[1-9]\d{0,18}:[1-9]\d{0,18}:(?:[1-9]\d{0,18}(?:,[1-9]\d{0,18})*)?$/)
  .refine((text) => text.split(/[:,]/).every((number) => number === '' || BigInt(number) <= most));
const markSchema = z
  .tuple([z.string().regex(/^-?\d{1,19}$/), snapshotSchema])
  .transform(([cluster, snapshot]): Mark => ({ cluster, snapshot }));

/** For URLs. Shortens a snapshot with very many open transactions: what those commit is then not counted as new. */
export function encodeMark({ cluster, snapshot }: Mark): string {
  const { xmax } = parseSnapshot(snapshot);
  const short = snapshot.length <= mostLength ? snapshot : `${xmax}:${xmax}:`;
  return encodeToken([cluster, short]);
}

/** Null for anything that `encodeMark` did not make. */
export function decodeMark(text: string): Mark | null {
  return text.length > 4_000 ? null : decodeToken(text, markSchema);
}

const timeoutMs = 300;
/**
 * The most entries read of each of the two ranges: a poll by a page left open for a day costs no more than one after a minute. These
 * are the newest, so that much that the filter leaves out does not hide what comes after it.
 */
const mostRead = 2_000;

/** Counts entries of the query committed after `since`, up to `cap`; fewer than there are when finding them takes too long. */
export async function countCommittedSince(
  db: Database,
  query: EntryQuery,
  since: Mark,
  cap: number,
): Promise<number> {
  if (hasNul(query)) return 0;
  try {
    return await sharedRead(db, query.organization, timeoutMs, async (reader) => {
      const prepared = await prepareQuery(reader, query);
      const parameters = new Parameters();
      const range = inRange(prepared.range, parameters);
      const condition = entryCondition(query, prepared.forms, parameters);
      const ranges = listRanges(since, prepared.mark, parameters).map(
        (
          committed,
        ) => `(select e.* from audit.entries e where e.organization = ${parameters.add(query.organization, 'text')}
           and e.cluster = ${parameters.add(prepared.mark.cluster, 'bigint')} and ${committed}
         order by e.xid desc, e.id desc limit ${mostRead})`,
      );
      const [row] = await reader.query<{ n: number }>(
        `select count(*)::int as n from (select from (${ranges.join(' union all ')}) e
         where ${range} and (${condition}) limit ${parameters.add(cap, 'int')}) counted`,
        parameters.values,
      );
      return row?.n ?? 0;
    });
  } catch (error) {
    if (isTooMuch(error)) return 0;
    throw error;
  }
}

/** Conditions for what is visible now and was not then. If the cluster has changed, everything is new. */
function listRanges(since: Mark, now: Mark, parameters: Parameters): string[] {
  if (since.cluster !== now.cluster) return ['true'];
  const then = parseSnapshot(since.snapshot);
  const current = parseSnapshot(now.snapshot);
  const late = then.xip.filter((xid) => isVisible(xid, current)).map(String);
  return [
    ...(late.length > 0 ? [`e.xid = any (${parameters.add(late, 'xid8[]')})`] : []),
    `e.xid >= ${parameters.add(then.xmax.toString(), 'xid8')}`,
  ];
}

/**
 * Counts an organization's entries dated at or after `from` (RFC 3339), up to `cap`; reads only the index. Those in the future come
 * from a clock that is wrong, or from somebody who wants to bury other entries.
 */
export async function countDatedAfter(
  db: Database,
  organization: string,
  from: string,
  cap: number,
): Promise<number> {
  const [row] = await boundedRead(db, 1_000, (reader) =>
    reader.query<{ n: number }>(
      `select count(*)::int as n from (
         select from audit.entries e where e.organization = $1::text and e.occurred_at >= $2::timestamptz
         order by e.occurred_at desc limit $3::int) counted`,
      [organization, from, cap],
    ),
  );
  return row?.n ?? 0;
}

/** Whether the organization has any entry. */
export async function hasEntries(db: Database, organization: string): Promise<boolean> {
  const [row] = await boundedRead(db, 1_000, (reader) =>
    reader.query<{ any: boolean }>(
      `select exists (select from audit.entries e where e.organization = $1::text) as any`,
      [organization],
    ),
  );
  return row?.any ?? false;
}
