/**
 * A busy cluster: fifty changes a second to a hundred configs for a minute, the API server restarted in the middle. At
 * the end every status matches its spec, what runs is exactly what is wanted, and no header value is written anywhere.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ExportStatus } from '../../src/model/streamStatus.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { type Cluster, isClusterMissing, useCluster } from '../tools/cluster.ts';
import { insertEntries, migrateDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';
import { watchCluster } from '../tools/watchedExports.ts';
import { makeClusterCollector } from './clusterCollector.ts';
import { applyConfig, applySecret, collectorKubeconfig, crd, deleteConfig } from './harness.ts';

const configs = 100;
const changesPerSecond = 50;
const churnMs = 60_000;

interface Wanted {
  suspend: boolean;
  maxBatchSize: number;
  /** Value of the Secret's key now. */
  token: string;
}

describe.skipIf(isClusterMissing())('under churn', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });
  const postgres = usePostgres({ prepare: migrateDatabase, settings: { max_connections: '50' } });

  test(`${changesPerSecond} changes a second to ${configs} configs, with the API server restarted: every status tells the truth`, {
    timeout: 300_000,
  }, async () => {
    const { current } = cluster;
    const { url, db, receiver } = await setUp(postgres);
    const namespace = await current.createNamespace();
    const collector = await makeClusterCollector({
      databaseUrl: url,
      namespace,
      kubeconfig: await collectorKubeconfig(current, namespace),
    });
    watchCluster(current, namespace, { db, receiver });
    collector.start();

    const wanted = new Map<string, Wanted>();
    const tokens: string[] = [];
    const newToken = (): string => {
      const token = `Bearer tok-${tokens.length}-${Math.random().toString(36).slice(2, 12)}`;
      tokens.push(token);
      return token;
    };
    const apply = async (name: string, want: Wanted): Promise<void> => {
      await applyConfig(current, namespace, name, {
        organization: name,
        endpoint: receiver.endpoint,
        startFrom: 'Beginning',
        suspend: want.suspend,
        maxBatchSize: want.maxBatchSize,
        headers: [{ name: 'Authorization', valueFrom: { secretKeyRef: { name, key: 'token' } } }],
      });
      wanted.set(name, want);
    };
    const rotate = async (name: string): Promise<string> => {
      const token = newToken();
      await applySecret(current, namespace, name, { token });
      return token;
    };
    const change = async (name: string): Promise<void> => {
      const want = wanted.get(name);
      const dice = Math.random();
      if (!want) await apply(name, { suspend: false, maxBatchSize: 1_000, token: await rotate(name) });
      else if (dice < 0.25) want.token = await rotate(name);
      else if (dice < 0.5) await apply(name, { ...want, suspend: !want.suspend });
      else if (dice < 0.8)
        await apply(name, { ...want, maxBatchSize: 1 + Math.floor(Math.random() * 1_000) });
      else {
        await deleteConfig(current, namespace, name);
        wanted.delete(name);
      }
    };

    const until = Date.now() + churnMs;
    let changes = 0;
    let restarted: Promise<void> | null = null;
    const names = Array.from({ length: configs }, (_, i) => `org-${i}`);
    // Each worker owns its configs, so that what it wants last is what is there last.
    const workers = 5;
    await Promise.all(
      Array.from({ length: workers }, async (_, worker) => {
        const mine = names.filter((_, i) => i % workers === worker);
        while (Date.now() < until) {
          const startedAt = Date.now();
          const name = mine[Math.floor(Math.random() * mine.length)] ?? '';
          // While the server restarts there is nobody to change anything.
          await change(name).then(
            () => changes++,
            () => restarted,
          );
          if (Date.now() > until - churnMs / 2) restarted ??= current.restartApiServer();
          // The pace of the changes is what is tested, not waited for.
          await delay(Math.max(0, (1_000 * workers) / changesPerSecond - (Date.now() - startedAt)));
        }
      }),
    );
    await restarted;
    // What a change that failed half-way left behind: say it once more, now that the server answers.
    for (const name of names) {
      const want = wanted.get(name);
      if (want) await apply(name, { ...want, token: await rotate(name) });
      else await deleteConfig(current, namespace, name);
    }
    expect(changes).toBeGreaterThan((churnMs / 1_000) * changesPerSecond * 0.1);

    // Every status matches its spec.
    let wrong: string[] = [];
    await waitFor(
      async () => {
        wrong = findWrong(await listConfigs(current, namespace), wanted);
        return wrong.length === 0;
      },
      {
        timeoutMs: 60_000,
        describe: () => `${wrong.slice(0, 5).join('\n')}\n${collector.output().slice(-2_000)}`,
      },
    );

    // The streams that run are exactly those wanted.
    const metrics = async (): Promise<string> => (await fetch(`${collector.operations}/metrics`)).text();
    await waitFor(async () => {
      const text = await metrics();
      const running = new Set(
        [...text.matchAll(/audit_export_stream_state\{[^}]*name="([^"]+)"/g)].map((m) => m[1]),
      );
      return JSON.stringify([...running].sort()) === JSON.stringify([...wanted.keys()].sort());
    });

    // Each entry arrives, and each export soon uses its Secret as it is now.
    const lastOf = () =>
      new Map(
        receiver.requests.map(({ number, resource, headers }) => [
          String(resource.get('audit.organization.id')),
          { number, token: headers.authorization },
        ]),
      );
    let stale = [...wanted].filter(([, want]) => !want.suspend);
    expect(stale.length).toBeGreaterThan(10);
    const deadline = Date.now() + 30_000;
    while (stale.length > 0 && Date.now() < deadline) {
      const since = receiver.requestCount;
      await insertEntries(
        db,
        stale.map(([organization]) => ({ organization })),
      );
      await waitFor(() => stale.every(([name]) => (lastOf().get(name)?.number ?? 0) > since));
      stale = stale.filter(([name, want]) => lastOf().get(name)?.token !== want.token);
    }
    expect(stale.map(([name]) => name)).toEqual([]);

    const all = [
      collector.output(),
      await metrics(),
      JSON.stringify(await listConfigs(current, namespace)),
      JSON.stringify(
        await current.request({ path: `/apis/events.k8s.io/v1/namespaces/${namespace}/events?limit=5000` }),
      ),
    ];
    for (const token of tokens) {
      const value = token.slice('Bearer '.length);
      for (const text of all) expect(text.includes(value)).toBe(false);
    }
    expect(await collector.kill('SIGTERM')).toBe(0);
  });
});

interface ListedConfig {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly spec: { readonly suspend: boolean };
  readonly status?: ExportStatus;
}

async function listConfigs(cluster: Cluster, namespace: string): Promise<ListedConfig[]> {
  const answer = await cluster.request({
    path: `/apis/auditexport.dev/v1/namespaces/${namespace}/auditexportconfigs`,
  });
  return answer.body['items'] as ListedConfig[];
}

function findWrong(listed: readonly ListedConfig[], wanted: ReadonlyMap<string, Wanted>): string[] {
  const wrong: string[] = [];
  const names = listed.map((config) => config.metadata.name).sort();
  if (JSON.stringify(names) !== JSON.stringify([...wanted.keys()].sort()))
    wrong.push('other configs than wanted');
  for (const { metadata, spec, status } of listed) {
    const ready = status?.conditions.find((condition) => condition.type === 'Ready');
    const works = status?.deliveredEntries === 0 ? 'Unknown NothingSent' : 'True Delivering';
    const expected = spec.suspend ? 'False Suspended' : works;
    const found = `${ready?.status} ${ready?.reason}`;
    if (
      found !== expected ||
      ready?.observedGeneration !== metadata.generation ||
      status?.observedGeneration !== metadata.generation
    ) {
      wrong.push(
        `${metadata.name}: ${expected} of generation ${metadata.generation} expected, ${JSON.stringify(status)}`,
      );
    }
  }
  return wrong;
}
