/** What the watcher of claims looks at: the statuses of a cluster, or what the page shows. One line for a test. */
import type { Page } from 'playwright-core';
import type { Database } from '../../src/database/pool.ts';
import type { ExportStatus } from '../../src/model/streamStatus.ts';
import { type ClaimWatcher, type Sight, watchClaims } from './claimWatcher.ts';
import type { Cluster } from './cluster.ts';
import type { ReceiverLedger } from './receiverLedger.ts';

export interface Parts {
  readonly db: Pick<Database, 'query'>;
  readonly receiver: { readonly ledger: Pick<ReceiverLedger, 'kept'> };
}

export interface WatchOptions {
  readonly graceMs?: number;
  /** A pattern of SQL for the types that the receiver is to have. Default: all. */
  readonly eventTypes?: string;
}

interface Stream {
  readonly id: string;
  readonly configKey: string;
  /** Uids of its organization's entries from before it began and since, without those that were taken. */
  readonly before: readonly string[];
  readonly since: readonly string[];
  readonly cluster: string;
  /** Entries of all transactions before this one can be seen. */
  readonly xmin: string;
}

/** Reads what each stream is to deliver, each time only what came since it was taken: some tests write for many minutes. */
class StreamReader {
  readonly #parts: Parts;
  readonly #eventTypes: string;
  readonly #taken = new Map<string, Stream>();

  constructor(parts: Parts, eventTypes = '%') {
    this.#parts = parts;
    this.#eventTypes = eventTypes;
  }

  /** The newest stream first. */
  async read(): Promise<Stream[]> {
    const taken = [...this.#taken.values()];
    const { rows } = await this.#parts.db.query<Stream>(
      `select s.id, s.config_key as "configKey", c.cluster::text, c.xmin::text,
              coalesce(array_agg(e.uid::text) filter (where e.occurred_at <= s.created_at), '{}') as before,
              coalesce(array_agg(e.uid::text) filter (where e.occurred_at > s.created_at), '{}') as since
       from (select audit.cluster_id() as cluster, pg_snapshot_xmin(pg_current_snapshot()) as xmin) c
       cross join audit.streams s
       left join unnest($2::uuid[], $3::bigint[], $4::xid8[]) as t (stream, cluster, xmin) on t.stream = s.id and t.cluster = c.cluster
       left join lateral (
         select uid, occurred_at from audit.entries
         where t.stream is null and organization = s.organization and event_type like $1
         union all
         select uid, occurred_at from audit.entries
         where organization = s.organization and cluster = t.cluster and xid >= t.xmin and event_type like $1
       ) e on true
       group by s.id, c.cluster, c.xmin order by s.created_at desc`,
      [
        this.#eventTypes,
        taken.map(({ id }) => id),
        taken.map(({ cluster }) => cluster),
        taken.map(({ xmin }) => xmin),
      ],
    );
    return rows;
  }

  /** Its entries are in the sight that is returned, and are not read again. */
  take(stream: Stream | undefined, startFrom: unknown, words: string | undefined): Sight {
    // Without a stream nothing was ever sent.
    if (stream === undefined) return { words, committed: [], kept: { count: 0, has: () => false } };
    this.#taken.set(stream.id, { ...stream, before: [], since: [] });
    const { before, since } = stream;
    const committed = startFrom === 'Beginning' ? [...before, ...since] : since;
    return { words, committed, kept: this.#parts.receiver.ledger.kept(stream.id) };
  }
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
  const reader = new StreamReader(parts, eventTypes);
  return watchClaims({
    ...(graceMs !== undefined && { graceMs }),
    look: async () => {
      const streams = new Map((await reader.read()).map((each) => [each.configKey, each]));
      const listed = (await cluster.request({ path })).body['items'] as ListedConfig[];
      return new Map(
        listed.map(({ metadata: { name, uid }, spec, status }) => {
          const words = status?.conditions.map(({ reason, message }) => `${reason} ${message}`).join(' ');
          // One that was made again under its name is another one.
          return [`${name} ${uid}`, reader.take(streams.get(uid), spec.startFrom, words)];
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
  const reader = new StreamReader(parts, eventTypes);
  return watchClaims({
    ...(graceMs !== undefined && { graceMs }),
    look: async () => {
      const [stream] = await reader.read();
      const badges = await page.locator('#drawer .badge, #export-trouble').allTextContents();
      const words = badges.join(' ').trim();
      return new Map([['page', reader.take(stream, startFrom, words === '' ? undefined : words)]]);
    },
  });
}
