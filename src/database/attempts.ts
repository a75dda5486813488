/** How requests of each stream went (audit.stream_hours, audit.stream_attempts): added to by whoever sends it, read by the page. */
import { type Attempt, type HourOfAttempts, keptAttempts } from '../model/attempt.ts';
import { boundedRead } from './boundedRead.ts';
import { utcMilliseconds } from './fragments.ts';
import type { Database } from './pool.ts';

/** What a process has gathered of one stream since it wrote last. */
export interface GatheredAttempts {
  readonly streamId: string;
  readonly hours: readonly HourOfAttempts[];
  /** The oldest first. */
  readonly attempts: readonly Attempt[];
  /** RFC 3339; null: it waits for nothing. */
  readonly nextTryAt: string | null;
}

const keptFor = `interval '30 days'`;

/** Adds to what is kept of these streams, and forgets what is older than a month. Leaves out streams that are gone. */
export async function addAttempts(db: Database, gathered: readonly GatheredAttempts[]): Promise<void> {
  const hours = gathered.flatMap(({ streamId, hours: each }) => each.map((hour) => ({ streamId, ...hour })));
  await db.query(
    `with old as (
       delete from audit.stream_hours where stream = any ($1::uuid[]) and hour < now() - ${keptFor}
     )
     insert into audit.stream_hours as h (stream, hour, accepted, rejected, requests, failures, latency)
     select s.id, a.hour, a.accepted, a.rejected, a.requests, a.failures, a.latency::integer[]
     from unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], $6::jsonb[], $7::text[])
       as a(stream, hour, accepted, rejected, requests, failures, latency) join audit.streams s on s.id = a.stream
     order by s.id
     on conflict (stream, hour) do update set accepted = h.accepted + excluded.accepted,
       rejected = h.rejected + excluded.rejected, requests = h.requests + excluded.requests,
       failures = (select coalesce(jsonb_object_agg(key, n), '{}') from (
         select key, sum(value::bigint) as n from (select * from jsonb_each_text(h.failures)
           union all select * from jsonb_each_text(excluded.failures)) as either group by key) as summed),
       latency = array(select coalesce(x, 0) + coalesce(y, 0) from unnest(h.latency, excluded.latency) as t(x, y))`,
    [
      hours.map(({ streamId }) => streamId),
      hours.map(({ hour }) => hour),
      hours.map(({ accepted }) => accepted),
      hours.map(({ rejected }) => rejected),
      hours.map(({ requests }) => requests),
      hours.map(({ failures }) => JSON.stringify(failures)),
      hours.map(({ latency }) => `{${latency.join(',')}}`),
    ],
  );
  await db.query(
    `insert into audit.stream_attempts as k (stream, attempts, next_try_at, written_at)
     select s.id, a.attempts, a.next_try_at, clock_timestamp()
     from unnest($1::uuid[], $2::jsonb[], $3::timestamptz[]) as a(stream, attempts, next_try_at)
     join audit.streams s on s.id = a.stream order by s.id
     on conflict (stream) do update set next_try_at = excluded.next_try_at, written_at = excluded.written_at,
       attempts = (select coalesce(jsonb_agg(attempt order by n), '[]') from (
         select attempt, n from jsonb_array_elements(k.attempts || excluded.attempts) with ordinality as t(attempt, n)
         order by n desc limit ${keptAttempts}) as latest)`,
    [
      gathered.map(({ streamId }) => streamId),
      gathered.map(({ attempts }) => JSON.stringify(attempts)),
      gathered.map(({ nextTryAt }) => nextTryAt),
    ],
  );
}

export interface KeptAttempts {
  /** Those that there are, the oldest first. */
  readonly hours: readonly HourOfAttempts[];
  /** The newest first. */
  readonly attempts: readonly Attempt[];
  /** RFC 3339; null: it waits for nothing, or nobody has said. */
  readonly nextTryAt: string | null;
  /** RFC 3339: when the last attempts were added; null: never. */
  readonly writtenAt: string | null;
}

const timeoutMs = 2_000;

/** @throws the database's error, including a timeout. */
export async function readAttempts(db: Database, streamId: string): Promise<KeptAttempts> {
  return await boundedRead(db, timeoutMs, async (reader) => {
    const hours = await reader.query<HourOfAttempts>(
      `select ${utcMilliseconds('hour')} as hour, accepted::float8, rejected::float8, requests::float8, failures, latency
       from audit.stream_hours where stream = $1::uuid and hour > now() - ${keptFor} order by hour`,
      [streamId],
    );
    const [kept] = await reader.query<Omit<KeptAttempts, 'hours'>>(
      `select attempts, ${utcMilliseconds('next_try_at')} as "nextTryAt", ${utcMilliseconds('written_at')} as "writtenAt"
       from audit.stream_attempts where stream = $1::uuid`,
      [streamId],
    );
    const { attempts = [], nextTryAt = null, writtenAt = null } = kept ?? {};
    return { hours, attempts: attempts.toReversed(), nextTryAt, writtenAt };
  });
}

/** What an hour came to, without how long it took. */
export type HourOfStream = Pick<HourOfAttempts, 'hour' | 'accepted' | 'requests' | 'failures'> & {
  readonly streamId: string;
};

/**
 * The last 24 hours of these streams, as far as there was any request: the running hour and 23 before it.
 *
 * @throws the database's error, including a timeout.
 */
export async function readLastDay(db: Database, streamIds: readonly string[]): Promise<HourOfStream[]> {
  return await boundedRead(db, timeoutMs, (reader) =>
    reader.query<HourOfStream>(
      `select stream as "streamId", ${utcMilliseconds('hour')} as hour, accepted::float8, requests::float8, failures
       from audit.stream_hours where stream = any ($1::uuid[]) and hour > now() - interval '24 hours' order by stream, hour`,
      [streamIds],
    ),
  );
}
