/** Reads an organization's newest entry, as the list has it first, just as a stream reads it, to show what is sent. */
import type { Entry } from '../model/entry.ts';
import { boundedRead, isTooMuch } from './boundedRead.ts';
import { isReadable } from './entryBounds.ts';
import type { Database } from './pool.ts';

export type NewestEntry =
  | { readonly kind: 'read'; readonly entry: Entry }
  /** The organization has none. */
  | { readonly kind: 'none' }
  /** Its text is longer than the limit, or too much for Postgres in the time that a page may take. */
  | { readonly kind: 'too-large'; readonly id: string };

interface Row {
  readonly xid: string;
  readonly id: string;
  readonly uid: Buffer;
  readonly eventType: Buffer;
  readonly actorId: Buffer | null;
  readonly actorName: Buffer | null;
  readonly sessionType: Buffer;
  readonly project: Buffer | null;
  readonly micros: string;
}

/** Entries about the page itself are passed over, unless the last hundred are nothing else: opening the settings writes one. */
const mostPassedOver = 100;
const timeoutMs = 5_000;

/**
 * `mostBytes`: of its metadata as text. Texts are read in their binary form, as COPY gives them: nothing is decoded.
 *
 * @throws the database's error, including a timeout: the table may be locked.
 */
export async function readNewestEntry(
  db: Database,
  organization: string,
  mostBytes: number,
): Promise<NewestEntry> {
  const [row] = await boundedRead(db, timeoutMs, (reader) =>
    reader.query<Row>(
      `select e.xid::text, e.id::text, uuid_send(e.uid) as uid, textsend(e.event_type) as "eventType", textsend(e.actor_id) as "actorId",
         textsend(e.actor_name) as "actorName", textsend(e.session_type) as "sessionType", textsend(e.project) as project,
         (extract(epoch from e.occurred_at) * 1000000)::bigint::text as micros
       from (select n.* from audit.entries n where n.organization = $1
         order by n.occurred_at desc, n.id desc limit ${mostPassedOver}) e
       order by e.event_type ~ '^audit_(log|logs|export)\\.', e.occurred_at desc, e.id desc limit 1`,
      [organization],
    ),
  );
  if (row === undefined) return { kind: 'none' };
  const metadata = await readMetadata(db, organization, row.id, mostBytes);
  if (metadata === null) return { kind: 'too-large', id: row.id };
  const { xid, id, micros, ...texts } = row;
  const entry = { ...texts, xid: BigInt(xid), id: BigInt(id), occurredAtMicros: Number(micros), metadata };
  return { kind: 'read', entry };
}

/** null: it is too large. */
async function readMetadata(
  db: Database,
  organization: string,
  id: string,
  mostBytes: number,
): Promise<Uint8Array | null> {
  try {
    const [row] = await boundedRead(db, timeoutMs, (reader) =>
      reader.query<{ metadata: Buffer | null }>(
        `select case when octet_length(e.bytes) - 1 <= $3 then e.bytes end as metadata
         from (select jsonb_send(e.metadata) as bytes from audit.entries e
           where e.id = $1 and e.organization = $2 and ${isReadable} offset 0) e`,
        [id, organization, mostBytes],
      ),
    );
    // Binary jsonb is a version byte, 1, and the text.
    return row?.metadata?.subarray(1) ?? null;
  } catch (error) {
    if (!isTooMuch(error)) throw error;
    return null;
  }
}
