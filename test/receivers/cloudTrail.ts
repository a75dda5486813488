/** 2,900 real audit events, where their file lies beside the repository. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Database } from '../../src/database/pool.ts';
import type { AnyValue } from '../../tools/otlp/otlpProto.ts';
import { readJson } from './readJson.ts';

const file = new URL('../../../shared/data/cloudtrail.ndjson.gz', import.meta.url);

export const cloudTrailCount = 2_900;

/** Whether a suite must be skipped for want of the file; says so. For `describe.skipIf`. */
export function isCloudTrailMissing(): boolean {
  if (existsSync(file)) return false;
  process.stderr.write(
    'SKIPPED: the tests with real events. They read ../shared/data/cloudtrail.ndjson.gz, which is not there.\n',
  );
  return true;
}

/** A table's row and the line of the file that it was made from. */
export interface RealEntry {
  readonly uid: string;
  readonly id: bigint;
  readonly organization: string;
  readonly eventType: string;
  readonly actorId: string;
  readonly actorName: string;
  readonly sessionType: string;
  readonly project: string | null;
  readonly timeUnixNano: bigint;
  readonly metadata: AnyValue;
}

/**
 * Writes the events into the table. The file has whole seconds: to each is added the number of its line in
 * microseconds, so that none can lose them unseen.
 */
export async function loadCloudTrail(db: Database): Promise<RealEntry[]> {
  const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n');
  // The line goes to Postgres as it stands: nothing is parsed and printed again in between.
  await db.query(
    `insert into audit.entries
       (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at)
     select e ->> 'organizationId', e ->> 'eventType', e #>> '{actor,id}', e #>> '{actor,name}', e #>> '{actor,sessionType}',
       e ->> 'project', e -> 'metadata', (e ->> 'occurredAt')::timestamptz + n * interval '1 microsecond'
     from unnest($1::jsonb[]) with ordinality as line(e, n) order by n`,
    [lines],
  );
  const { rows } = await db.query<{ uid: string; id: string }>(
    'select e.uid::text, e.id::text from audit.entries e order by e.id',
  );
  return lines.map((line, at) => {
    const event = readJson(line) as Map<string, AnyValue>;
    const actor = event.get('actor') as Map<string, AnyValue>;
    const occurredAtMs = Date.parse(String(event.get('occurredAt')));
    return {
      uid: rows[at]?.uid ?? '',
      id: BigInt(rows[at]?.id ?? 0),
      organization: String(event.get('organizationId')),
      eventType: String(event.get('eventType')),
      actorId: String(actor.get('id')),
      actorName: String(actor.get('name')),
      sessionType: String(actor.get('sessionType')),
      project: (event.get('project') ?? null) as string | null,
      timeUnixNano: BigInt(occurredAtMs) * 1_000_000n + BigInt(at + 1) * 1_000n,
      metadata: event.get('metadata') ?? null,
    };
  });
}
