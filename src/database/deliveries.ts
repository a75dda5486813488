/**
 * Tells whether and when each stream of an organization delivered one entry, from the stream's row, its checkpoints and the
 * filters that it had; the triggers note_stream_start and note_stream_progress of migration 0002 write those two. A time is when
 * the collector noted the receiver's answer, not when the receiver had it.
 */

import type { EntryFilter } from '../model/exportConfig.ts';
import { ownEventTypes } from '../model/ownEvents.ts';
import { isVisible, parseSnapshot } from '../model/snapshot.ts';
import type { Position, WindowFilter } from '../model/stream.ts';
import { boundedRead, type Reader } from './boundedRead.ts';
import { isEntryId } from './cursor.ts';
import { filterCondition } from './filterCondition.ts';
import { utcMilliseconds } from './fragments.ts';
import type { Database } from './pool.ts';
import type { ParkedView } from './streamViews.ts';

/** Times are RFC 3339 in UTC. */
export type DeliveryState =
  /**
   * Between the two times, with one of the numbers from `first` to `last`; null, or absent: not known. Checkpoints are kept for 30
   * days.
   */
  | {
      readonly kind: 'delivered';
      readonly notBefore: string | null;
      readonly notAfter: string | null;
      readonly numbers?: { readonly first: number; readonly last: number };
    }
  | { readonly kind: 'pending' }
  | Parked
  /** The filter of its time left it out. */
  | { readonly kind: 'excluded' }
  /** The stream began after it. */
  | { readonly kind: 'before-start' }
  /** Settled before deliveries were recorded: delivered, or older than the stream. */
  | { readonly kind: 'unrecorded' };

interface Parked extends Omit<ParkedView, 'entryId' | 'eventType'> {
  readonly kind: 'parked';
}

export interface Delivery {
  readonly streamId: string;
  readonly configKey: string;
  readonly state: DeliveryState;
}

/** Where a stream stands, or stood. */
interface Coverage {
  readonly cluster: string;
  readonly settled: string;
  readonly other_clusters: Readonly<Record<string, string>>;
  readonly window_snapshot: string | null;
  readonly position_xid: string | null;
  readonly position_id: string | null;
}

/** The number that it had reached there. */
interface Numbered {
  readonly sequence: string | null;
}

interface EntryPlace extends Position {
  readonly cluster: string;
}

interface StreamNow extends Coverage, Numbered {
  readonly id: string;
  readonly config_key: string;
  readonly created: string;
  readonly moved: string | null;
  readonly window_pinned: string | null;
  readonly window_filter: WindowFilter | null;
  readonly starts_at: string | null;
  readonly oldest: string | null;
  readonly newest: string;
}

interface Checkpoint extends Coverage, Numbered {
  readonly at: string;
  readonly window_pinned: string | null;
}

const timeoutMs = 5_000;

export interface StreamChoice {
  /** Keys of configs whose streams are looked at, however many. */
  readonly current: readonly string[];
  /** How many of all others, those of deleted configs, are looked at, the newest first. */
  readonly mostOthers: number;
  /** By key of a config: the filter that its next window will have. */
  readonly filters?: ReadonlyMap<string, EntryFilter>;
}

/**
 * One row a stream, in the order of their making; empty when the organization has no such entry. Each is several reads, so
 * that those of deleted configs, which only ever become more, are bounded.
 */
export async function readDeliveries(
  db: Database,
  organization: string,
  id: string,
  { current, mostOthers, filters }: StreamChoice = { current: [], mostOthers: 50 },
): Promise<Delivery[]> {
  if (!isEntryId(id)) return [];
  return boundedRead(db, timeoutMs, async (reader) => {
    const [place] = await reader.query<{ cluster: string; xid: string }>(
      'select cluster::text, xid::text from audit.entries where id = $1 and organization = $2',
      [id, organization],
    );
    if (!place) return [];
    const entry = { cluster: place.cluster, xid: BigInt(place.xid), id: BigInt(id) };
    const streams = await reader.query<StreamNow>(
      `select s.id, s.config_key, ${coverageColumns('s')}, ${utcMilliseconds('s.created_at')} as created,
         ${utcMilliseconds('s.moved_at')} as moved, ${utcMilliseconds('s.window_pinned_at')} as window_pinned,
         s.window_filter, s.sequence::text, s.starts_at::text, s.history_number::text as newest, (select min(number)::text from audit.stream_history h where h.stream = s.id) as oldest
       from audit.streams s
       where s.id in (
         select c.id from audit.streams c where c.organization = $1 and c.config_key = any ($2)
         union all
         (select o.id from audit.streams o where o.organization = $1 and o.replay_of is null and o.config_key <> all ($2)
          order by o.created_at desc, o.id desc limit $3))
       order by s.created_at, s.id`,
      [organization, current, mostOthers],
    );
    const deliveries: Delivery[] = [];
    for (const stream of streams) {
      const state = await readState(reader, stream, entry, filters?.get(stream.config_key));
      deliveries.push({ streamId: stream.id, configKey: stream.config_key, state });
    }
    return deliveries;
  });
}

async function readState(
  reader: Reader,
  stream: StreamNow,
  entry: EntryPlace,
  nextFilter: EntryFilter | undefined,
): Promise<DeliveryState> {
  const special = (await readParked(reader, stream, entry)) ?? (await readReplayed(reader, stream, entry));
  if (special) return special;
  if (!covers(stream, entry)) return await readAhead(reader, stream, entry, nextFilter);
  const unsent = await readUnsent(reader, stream, entry);
  return unsent ?? (await readTimes(reader, stream, entry));
}

/** Ahead of the stream: it waits, unless the filter of its window, or that which the next will have, leaves it out. */
async function readAhead(
  reader: Reader,
  stream: StreamNow,
  entry: EntryPlace,
  nextFilter: EntryFilter | undefined,
): Promise<DeliveryState> {
  const { cluster, window_snapshot } = stream;
  const isInWindow =
    window_snapshot !== null &&
    cluster === entry.cluster &&
    isVisible(entry.xid, parseSnapshot(window_snapshot));
  const since = window_snapshot === null && stream.starts_at !== null ? { since: stream.starts_at } : {};
  const next = nextFilter === undefined ? null : { ...nextFilter, passesOwn: ownEventTypes, ...since };
  const filter = isInWindow ? stream.window_filter : next;
  return (filter === null ? null : await readLeftOut(reader, entry, filter)) ?? { kind: 'pending' };
}

/** null: the filter lets the entry through. */
async function readLeftOut(
  reader: Reader,
  entry: EntryPlace,
  filter: WindowFilter,
): Promise<DeliveryState | null> {
  const { since, ...plain } = filter;
  const [row] = await reader.query<{ since_ok: boolean; filter_ok: boolean }>(
    `select ${filterCondition(plain)} as filter_ok,
       ${since === undefined ? 'true' : 'occurred_at >= $2::timestamptz'} as since_ok
     from audit.entries where id = $1`,
    since === undefined ? [entry.id.toString()] : [entry.id.toString(), since],
  );
  if (row?.since_ok === false) return { kind: 'before-start' };
  return row?.filter_ok === false ? { kind: 'excluded' } : null;
}

async function readParked(
  reader: Reader,
  stream: StreamNow,
  entry: EntryPlace,
): Promise<DeliveryState | null> {
  const [row] = await reader.query<Parked & { sequence: string }>(
    `select 'parked' as kind, reason, message, http_status as "httpStatus", ${utcMilliseconds('parked_at')} as "parkedAt",
       sequence::text, replay_requested_at is not null as "replayRequested"
     from audit.parked where entry_id = $1 and stream = $2`,
    [entry.id.toString(), stream.id],
  );
  return row ? { ...row, sequence: Number(row.sequence) } : null;
}

async function readReplayed(
  reader: Reader,
  stream: StreamNow,
  entry: EntryPlace,
): Promise<DeliveryState | null> {
  const [row] = await reader.query<{ at: string }>(
    `select ${utcMilliseconds('delivered_at')} as at from audit.replayed where entry_id = $1 and stream = $2`,
    [entry.id.toString(), stream.id],
  );
  return row ? { kind: 'delivered', notBefore: row.at, notAfter: row.at } : null;
}

/** Settled without having been sent: before the stream's start, or left out by the filter that held. */
async function readUnsent(
  reader: Reader,
  stream: StreamNow,
  entry: EntryPlace,
): Promise<DeliveryState | null> {
  const filters = await reader.query<Coverage & { is_start: boolean; filter: WindowFilter | null }>(
    `select f.is_start, f.filter, f.cluster::text, f.settled::text, f.other_clusters, null as window_snapshot,
       null as position_xid, null as position_id
     from audit.stream_filters f where f.stream = $1 order by f.number`,
    [stream.id],
  );
  const [start] = filters;
  if (start && covers(start, entry)) return { kind: start.is_start ? 'before-start' : 'unrecorded' };
  const filter = filters.findLast((candidate) => !covers(candidate, entry))?.filter;
  return filter ? await readLeftOut(reader, entry, filter) : null;
}

/** Between the last checkpoint that does not cover the entry and the first that does. */
async function readTimes(reader: Reader, stream: StreamNow, entry: EntryPlace): Promise<DeliveryState> {
  let low = stream.oldest === null ? 1 : Number(stream.oldest);
  const first = low;
  let high = stream.oldest === null ? 0 : Number(stream.newest);
  let before: Checkpoint | null = null;
  let after: Checkpoint | null = null;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const checkpoint = await readCheckpoint(reader, stream.id, middle);
    if (!checkpoint) break;
    if (covers(checkpoint, entry)) {
      after = checkpoint;
      high = middle - 1;
    } else {
      before = checkpoint;
      low = middle + 1;
    }
  }
  // Older checkpoints than the oldest were thinned out: nothing is known of before it.
  if (!before && after && first > 1) return { kind: 'delivered', notBefore: null, notAfter: null };
  const notAfter = after ? after.at : stream.moved;
  const pinned = pinnedAt(after ?? stream, entry);
  const begun = before?.at ?? stream.created;
  const notBefore = pinned !== null && pinned > begun ? pinned : begun;
  return { kind: 'delivered', notBefore, notAfter, ...numbersBetween(before, after ?? stream) };
}

/** Numbers are given in the order of delivery. @param before null: the stream's beginning. */
function numbersBetween(
  before: Numbered | null,
  after: Numbered,
): Pick<Extract<DeliveryState, { kind: 'delivered' }>, 'numbers'> {
  if (before?.sequence === null || after.sequence === null) return {};
  const [first, last] = [Number(before?.sequence ?? 0) + 1, Number(after.sequence)];
  // A stream that was set back since has given its numbers again.
  return first <= last ? { numbers: { first, last } } : {};
}

async function readCheckpoint(reader: Reader, stream: string, number: number): Promise<Checkpoint | null> {
  const [row] = await reader.query<Checkpoint>(
    `select ${coverageColumns('h')}, h.sequence::text, ${utcMilliseconds('h.at')} as at, ${utcMilliseconds('h.window_pinned_at')} as window_pinned
     from audit.stream_history h where h.stream = $1 and h.number = $2`,
    [stream, number],
  );
  return row ?? null;
}

/** An entry of the window that is under delivery was not sent before it was pinned. */
function pinnedAt(coverage: Coverage & { window_pinned: string | null }, entry: EntryPlace): string | null {
  return isSettled(coverage, entry) ? null : coverage.window_pinned;
}

function coverageColumns(alias: string): string {
  return `${alias}.cluster::text, ${alias}.settled::text, ${alias}.other_clusters, ${alias}.window_snapshot::text,
    ${alias}.position_xid::text, ${alias}.position_id::text`;
}

/** Delivered, parked or left out. */
function covers(coverage: Coverage, entry: EntryPlace): boolean {
  if (isSettled(coverage, entry)) return true;
  const { cluster, window_snapshot, position_xid, position_id } = coverage;
  if (cluster !== entry.cluster || window_snapshot === null || position_xid === null || position_id === null)
    return false;
  if (!isVisible(entry.xid, parseSnapshot(window_snapshot))) return false;
  const xid = BigInt(position_xid);
  return entry.xid < xid || (entry.xid === xid && entry.id <= BigInt(position_id));
}

function isSettled({ cluster, settled, other_clusters }: Coverage, entry: EntryPlace): boolean {
  const snapshot = cluster === entry.cluster ? settled : other_clusters[entry.cluster];
  return snapshot !== undefined && isVisible(entry.xid, parseSnapshot(snapshot));
}
