/** What the watcher of claims looks at: the statuses of a cluster, or what the page shows. One line for a test. */
import type { Page } from 'playwright-core';
import type { Database } from '../../src/database/pool.ts';
import type { ExportStatus } from '../../src/model/streamStatus.ts';
import { type ClaimWatcher, type Sight, watchClaims } from './claimWatcher.ts';
import type { Cluster } from './cluster.ts';
import type { ReceiverLedger } from './receiverLedger.ts';

export interface Parts {
  readonly db: Pick<Database, 'query'>;
  readonly receiver: { readonly ledger: Pick<ReceiverLedger, 'storedUids'> };
}

export interface WatchOptions {
  readonly graceMs?: number;
  /** A pattern of SQL for the types that the receiver is to have. Default: all. */
  readonly eventTypes?: string;
}

interface Stream {
  readonly id: string;
  readonly configKey: string;
  readonly organization: string;
  /** Of the organization: all there are, and those since the stream began. */
  readonly all: readonly string[];
  readonly since: readonly string[];
}

async function readStreams(db: Parts['db'], eventTypes = '%'): Promise<Stream[]> {
  const uids = (which: string) =>
    `array(select e.uid::text from audit.entries e where e.organization = s.organization and e.event_type like $1 and ${which})`;
  const { rows } = await db.query<Stream>(
    `select s.id, s.config_key as "configKey", s.organization, ${uids('true')} as all, ${uids('e.occurred_at > s.created_at')} as since
     from audit.streams s order by s.created_at desc`,
    [eventTypes],
  );
  return rows;
}

function makeSight(
  { receiver }: Parts,
  stream: Stream | undefined,
  startFrom: unknown,
  words: string | undefined,
): Sight {
  // Without a stream nothing was ever sent.
  const stored = () => (stream === undefined ? [] : receiver.ledger.storedUids(stream.id));
  const committed = (startFrom === 'Beginning' ? stream?.all : stream?.since) ?? [];
  return { words, committed, stored };
}

interface ListedConfig {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: { readonly startFrom?: string };
  readonly status?: ExportStatus;
}

/** Every config of the namespace, as `kubectl get` shows it. */
export function watchCluster(
  cluster: Cluster,
  namespace: string,
  parts: Parts,
  { graceMs, eventTypes }: WatchOptions = {},
): ClaimWatcher {
  const path = `/apis/auditexport.dev/v1/namespaces/${namespace}/auditexportconfigs`;
  return watchClaims({
    ...(graceMs !== undefined && { graceMs }),
    look: async () => {
      const streams = new Map(
        (await readStreams(parts.db, eventTypes)).map((each) => [each.configKey, each]),
      );
      const listed = (await cluster.request({ path })).body['items'] as ListedConfig[];
      return new Map(
        listed.map(({ metadata: { name, uid }, spec, status }) => {
          const words = status?.conditions.map(({ reason, message }) => `${reason} ${message}`).join(' ');
          // One that was made again under its name is another one.
          return [`${name} ${uid}`, makeSight(parts, streams.get(uid), spec.startFrom, words)];
        }),
      );
    },
  });
}

/** The badges of the page and what is above its list, of an organization with one destination. */
export function watchPage(
  page: Page,
  parts: Parts,
  { startFrom, graceMs, eventTypes }: WatchOptions & { readonly startFrom?: 'Beginning' } = {},
): ClaimWatcher {
  return watchClaims({
    ...(graceMs !== undefined && { graceMs }),
    look: async () => {
      const [stream] = await readStreams(parts.db, eventTypes);
      const badges = await page.locator('#drawer .badge, #export-trouble').allTextContents();
      const words = badges.join(' ').trim();
      return new Map([['page', makeSight(parts, stream, startFrom, words === '' ? undefined : words)]]);
    },
  });
}
