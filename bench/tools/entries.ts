/** Sample entries: real CloudTrail events if the file exists, otherwise generated ones of the same size. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type pg from 'pg';

export interface SampleEntry {
  readonly eventType: string;
  readonly actorId: string | null;
  readonly actorName: string | null;
  readonly sessionType: string;
  readonly project: string | null;
  /** JSON text. */
  readonly metadata: string;
  readonly occurredAt: string;
}

export interface Sample {
  readonly entries: readonly SampleEntry[];
  /** Description for the head of the table. */
  readonly description: string;
}

const cloudTrailFile = new URL('../../../shared/data/cloudtrail.ndjson.gz', import.meta.url);
const generatedCount = 2_900;

let loaded: Sample | undefined;

/** Read once. */
export function loadSample(): Sample {
  loaded ??= existsSync(cloudTrailFile) ? readCloudTrail() : generate();
  return loaded;
}

function readCloudTrail(): Sample {
  const lines = gunzipSync(readFileSync(cloudTrailFile)).toString().trim().split('\n');
  const entries = lines.map((line): SampleEntry => {
    const event = JSON.parse(line);
    return {
      eventType: event.eventType,
      actorId: event.actor?.id ?? null,
      actorName: event.actor?.name ?? null,
      sessionType: event.actor?.sessionType ?? 'user',
      project: event.project ?? null,
      metadata: JSON.stringify(event.metadata),
      occurredAt: event.occurredAt,
    };
  });
  return { entries, description: `${entries.length} CloudTrail events, ${describeSize(entries)}, repeated` };
}

/** Has the shape and size of a CloudTrail record, with values that vary as much. */
function generate(): Sample {
  const entries = Array.from({ length: generatedCount }, (_, n): SampleEntry => {
    const hex = (n * 2_654_435_761).toString(16).padStart(12, '0');
    const metadata = {
      eventVersion: '1.08',
      userIdentity: {
        type: 'IAMUser',
        principalId: `AIDA${hex}`,
        arn: `arn:aws:iam::12${hex}:user/u-${n % 40}`,
        accessKeyId: `AKIA${hex}`,
        userName: `u-${n % 40}`,
      },
      eventSource: `service${n % 30}.example.com`,
      eventName: `DescribeThing${n % 90}`,
      sourceIPAddress: `10.248.${n % 256}.${(n * 7) % 256}`,
      userAgent: 'Boto3/1.26.165 Python/3.10.6 Linux/5.19.0-46-generic Botocore/1.29.165',
      requestParameters: { bucketName: `bucket-${hex}`, maxResults: n % 1_000, filters: [hex, `${hex}-b`] },
      responseElements: null,
      additionalEventData: { bytesTransferredIn: n, bytesTransferredOut: n * 31, note: hex.repeat(25) },
      requestID: `${hex}-2a01-4e9e-bf31-${hex}`,
      eventID: `${hex}-ccc8-41d7-82f1-${hex}`,
      readOnly: n % 3 > 0,
      resources: [{ accountId: '123837392027', type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${hex}` }],
    };
    return {
      eventType: `service${n % 30}.DescribeThing${n % 90}`,
      actorId: `AIDA${hex}`,
      actorName: `u-${n % 40}`,
      sessionType: 'api_key',
      project: n % 5 === 0 ? null : 'us-east-1',
      metadata: JSON.stringify(metadata),
      occurredAt: new Date(1_689_000_000_000 + n * 5_000).toISOString(),
    };
  });
  return {
    entries,
    description: `${entries.length} generated entries, ${describeSize(entries)}, repeated (the CloudTrail file is not here)`,
  };
}

function describeSize(entries: readonly SampleEntry[]): string {
  const bytes = entries.reduce((sum, entry) => sum + entry.metadata.length, 0);
  return `${(bytes / entries.length / 1000).toFixed(1)} KB of metadata each on average`;
}

/** Rows per transaction while loading. A product's transactions are smaller, but loading would take too long. */
const rowsPerTransaction = 100;

/**
 * Fills the table with `count` entries, spread evenly over `organizations`, in transactions of a hundred; then vacuums and
 * writes everything to disk, so that the benchmark does not pay for it.
 */
export async function loadTable(
  client: pg.Client,
  count: number,
  organizations: readonly string[] = ['acme'],
): Promise<void> {
  const { entries } = loadSample();
  const column = (name: keyof SampleEntry) => entries.map((entry) => entry[name]);
  await client.query(
    `create temporary table sample as select * from
       unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[])
       with ordinality as s(event_type, actor_id, actor_name, session_type, project, metadata, occurred_at, n)`,
    [
      column('eventType'),
      column('actorId'),
      column('actorName'),
      column('sessionType'),
      column('project'),
      column('metadata'),
      column('occurredAt'),
    ],
  );
  await client.query('alter table sample add primary key (n)');
  await client.query('analyze sample');
  await client.query(
    'create temporary table names as select * from unnest($1::text[]) with ordinality as o(name, n)',
    [organizations],
  );
  await client.query('alter table names add primary key (n)');
  await client.query('analyze names');
  await client.query('set synchronous_commit = off');
  await client.query(`do $$ begin
    for start_at in 0 .. ${count - 1} by ${rowsPerTransaction} loop
      insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at)
      select names.name, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at
      from generate_series(start_at, least(start_at + ${rowsPerTransaction}, ${count}) - 1) as i
      join sample on sample.n = i % ${entries.length} + 1
      join names on names.n = i % ${organizations.length} + 1
      order by i;
      commit;
    end loop;
  end $$`);
  await client.query('vacuum (analyze) audit.entries');
  await client.query('checkpoint');
}
