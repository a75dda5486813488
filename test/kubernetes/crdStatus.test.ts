/** The statuses that the collector makes are accepted as they are, and `kubectl get aec` shows what matters in them. */
import { describe, expect, it } from 'vitest';
import { adviceFor, failureReasons, reasonGroups, type StreamReason } from '../../src/model/reasons.ts';
import type { StreamHealth } from '../../src/model/streamHealth.ts';
import type { ExportStatus } from '../../src/model/streamStatus.ts';
import { type ExportState, makeStatus } from '../../src/status/conditions.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import { applyConfig, crd } from './harness.ts';

/** Every field of a status is there. */
const healthDefaults: StreamHealth = {
  activity: 'holding',
  failure: null,
  lastError: null,
  delivered: Number.MAX_SAFE_INTEGER,
  rejected: 3,
  parked: 2,
  isBehind: false,
  pending: 1204,
  oldestPendingAt: '2026-01-31T08:00:00.123456Z',
  ratePerSecond: 0,
  lastDeliveryAt: '2026-01-31T08:00:00.123Z',
};

const config = {
  generation: 1,
  destination: { url: new URL('https://otel.example.com:4318/v1/logs?token=s3cr3t') },
  reconcileAt: 'now, please',
};
const valid: ExportState = { kind: 'valid', config };

function statusOf(health: Partial<StreamHealth> | null, state = valid): ExportStatus {
  return makeStatus(state, health && { ...healthDefaults, ...health }, [], new Date('2026-01-31T08:00:01Z'));
}

function failing(reason: StreamReason): ExportStatus {
  const message = `${'x'.repeat(500)} "quoted" \n ü 🦉`;
  const failure = { reason, message, httpStatus: 503, since: 0 };
  const lastError = { time: '2026-01-31T08:00:01Z', reason, message, httpStatus: 999 };
  return statusOf({ failure, lastError });
}

describe.skipIf(isClusterMissing())('a status', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });

  async function writeStatus(namespace: string, name: string, status: ExportStatus) {
    return await cluster.current.request({
      method: 'PATCH',
      path: `/apis/auditexport.dev/v1/namespaces/${namespace}/auditexportconfigs/${name}/status?fieldManager=tests&force=true&fieldValidation=Strict`,
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion: 'auditexport.dev/v1', kind: 'AuditExportConfig', metadata: { name }, status },
    });
  }

  it('is kept as it was made, whatever the reason', async () => {
    const namespace = await cluster.current.createNamespace();
    await applyConfig(cluster.current, namespace, 'acme');
    const problems = ['x'.repeat(40_000)];
    const wrong = {
      kind: 'invalid',
      generation: 1,
      reason: 'InvalidSpec',
      problems,
      lastGood: null,
    } as const;
    const statuses = [
      ...(Object.keys({ ...failureReasons, ...reasonGroups.collector }) as StreamReason[]).map(failing),
      statusOf({ activity: 'idle', pending: 0, oldestPendingAt: null }),
      statusOf({ activity: 'idle', delivered: 0, rejected: 0, parked: 0, pending: 0, oldestPendingAt: null }),
      statusOf({ activity: 'suspended' }),
      statusOf(null),
      statusOf(null, wrong),
      statusOf({}, { ...wrong, lastGood: config }),
      statusOf({}, { kind: 'valid', config: { ...config, reconcileAt: 'x'.repeat(250_000) } }),
    ];
    for (const status of statuses) {
      const answer = await writeStatus(namespace, 'acme', status);
      expect(answer.body).toMatchObject({ status });
      expect(answer.status).toBe(200);
    }
  });

  it('with a resolved error has its time', async () => {
    const namespace = await cluster.current.createNamespace();
    await applyConfig(cluster.current, namespace, 'acme');
    const time = '2026-01-31T08:00:01.123Z';
    const status = statusOf({ lastError: { time, reason: 'Timeout', message: '', resolvedTime: time } });
    expect(await writeStatus(namespace, 'acme', status)).toMatchObject({ status: 200, body: { status } });
  });

  it('with a reason of two words is refused', async () => {
    const namespace = await cluster.current.createNamespace();
    await applyConfig(cluster.current, namespace, 'acme');
    const { conditions, ...rest } = failing('Timeout');
    const status = { ...rest, conditions: conditions.map((each) => ({ ...each, reason: 'HTTP 401' })) };
    expect(await writeStatus(namespace, 'acme', status)).toMatchObject({ status: 422 });
  });

  it('does not come with the spec, nor the spec with it', async () => {
    const namespace = await cluster.current.createNamespace();
    await applyConfig(cluster.current, namespace, 'acme');
    await writeStatus(namespace, 'acme', failing('Timeout'));
    const path = `/apis/auditexport.dev/v1/namespaces/${namespace}/auditexportconfigs/acme`;
    const contentType = 'application/merge-patch+json';
    const changed = { spec: { suspend: true }, status: { pendingEntries: 7 } };
    await cluster.current.request({ method: 'PATCH', path, contentType, body: changed });
    const atStatus = { spec: { suspend: false }, status: { parkedEntries: 7 } };
    await cluster.current.request({ method: 'PATCH', path: `${path}/status`, contentType, body: atStatus });
    expect((await cluster.current.request({ path })).body).toMatchObject({
      metadata: { generation: 2 },
      spec: { suspend: true },
      status: { pendingEntries: 1204, parkedEntries: 7 },
    });
  });

  it('is a row of kubectl get, and more of it with -o wide', async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    for (const name of ['a-new', 'b-some', 'c-held']) await applyConfig(current, namespace, name);
    const now = new Date().toISOString();
    await writeStatus(
      namespace,
      'b-some',
      statusOf({ activity: 'idle', pending: 0, parked: 0, lastDeliveryAt: now }),
    );
    const failure = { reason: 'Unauthorized', message: 'The receiver answered 401.', since: 0 } as const;
    await writeStatus(namespace, 'c-held', statusOf({ failure, lastDeliveryAt: now }));

    const get = async (...args: string[]) => {
      const { stdout } = await current.kubectl(['get', ...args, '--namespace', namespace]);
      // Columns are two spaces apart at least, and end where the row does.
      return stdout
        .trimEnd()
        .split('\n')
        .map((line) =>
          line
            .trim()
            .replace(/\b\d+m?s\b/g, 'AGE')
            .split(/ {3,}/),
        );
    };
    const endpoint = 'https://otel.example.com:4318/v1/logs?…';
    const head = ['NAME', 'READY', 'REASON', 'PENDING', 'LAST DELIVERY', 'ENDPOINT', 'AGE'];
    const rows = [
      ['a-new', 'AGE'],
      ['b-some', 'True', 'Incomplete', '0', 'AGE', endpoint, 'AGE'],
      ['c-held', 'False', 'Unauthorized', '1204', 'AGE', endpoint, 'AGE'],
    ];
    expect(await get('aec')).toEqual([head, ...rows]);
    // Of category `audit`.
    expect(await get('audit')).toEqual([head, ...rows]);
    expect(await get('aec', '-o', 'wide')).toEqual([
      [...head, 'MESSAGE'],
      rows[0],
      [
        ...(rows[1] ?? []),
        'All but 3 entries are delivered. The receiver rejected 3 entries without saying which: compare it with the table.',
      ],
      [...(rows[2] ?? []), `The receiver answered 401. ${adviceFor('Unauthorized')}`],
    ]);
  });
});
