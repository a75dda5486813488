import { expect, test } from 'vitest';
import { type Metrics, makeMetrics } from './metrics.ts';
import { type MetricKey, metricTable } from './metricTable.ts';
import type { StreamMetrics } from './streamMetrics.ts';

const labels = { namespace: 'flows', name: 'acme-siem', organization: 'acme' };
const own = 'namespace="flows",name="acme-siem",organization="acme"';

/** The samples of our own metrics, without the buckets of histograms. */
async function samplesOf(metrics: Metrics): Promise<string[]> {
  const text = await metrics.render();
  return text.split('\n').filter((line) => /^audit_export_(?!\S*_bucket\{)/.test(line));
}

function useEverything(stream: StreamMetrics): void {
  stream.countDelivered(1000, 2);
  stream.setPending(5);
  stream.setOldestPending(new Date(1_000_000));
  stream.setParked(1);
  stream.setState('holding');
  stream.setState('holding');
  stream.setState('delivering');
  stream.setCatchUpRate(12_000);
  stream.countReplayed(7);
  stream.observeRequest({ outcome: 'settled', durationMs: 20, records: 1000, bytes: 400_000 });
  stream.observeRequest({ outcome: 'hold', reason: 'Unauthorized', durationMs: 5, records: 1, bytes: 400 });
  stream.observeRequest({ outcome: 'retry', reason: 'RateLimited', durationMs: 5, records: 1, bytes: 400 });
  stream.countRetry('Timeout');
  stream.countRetry('RateLimited');
  stream.observeDeliveryDelay(150);
}

const ready = {
  type: 'Ready',
  status: 'True',
  reason: 'Delivering',
  message: '',
  lastTransitionTime: '2026-05-01T00:00:00Z',
  observedGeneration: 1,
} as const;

function useCluster(kubernetes: Metrics['kubernetes']): void {
  kubernetes.countRequest('GET', '200');
  kubernetes.countWatchRestart('configs');
  kubernetes.setQueueDepth(3);
  kubernetes.countReconcile('judged');
  kubernetes.countStatusFailure('422');
  kubernetes.setConditions({ namespace: 'flows', name: 'acme-siem' }, [ready]);
}

test.each(Object.keys(metricTable) as MetricKey[])(
  'exposes %s with its help, its unit and its labels',
  async (key) => {
    const definition = metricTable[key];
    const metrics = makeMetrics({ version: '1.2.3' });
    useEverything(metrics.forStream(labels));
    metrics.countDatabaseError(new Error('Connection terminated unexpectedly'));
    useCluster(metrics.kubernetes);
    metrics.setRetention({ undelivered: 1, parked: 2, held: 3, unsealed: 5, waitingSeconds: 4 }, false);
    metrics.observePageRequest({ method: 'GET', route: '/', status: '200', durationMs: 12 });
    const text = await metrics.render();
    expect(text).toContain(`# HELP ${definition.name} ${definition.help}\n`);
    expect(text).toContain(`# TYPE ${definition.name} ${definition.type}\n`);
    const suffix = definition.type === 'histogram' ? '_count' : '';
    const sample = text.split('\n').find((line) => line.match(/^[^{ ]+/)?.[0] === definition.name + suffix);
    const used = [...(sample?.matchAll(/(\w+)="/g) ?? [])].map((match) => match[1]);
    expect(sample).toBeDefined();
    expect(used.toSorted()).toEqual(definition.labels.toSorted());
    if (definition.type === 'counter') expect(definition.name).toMatch(/_total$/);
  },
);

test('has every sample of a stream under its labels', async () => {
  const metrics = makeMetrics({ version: '1.2.3', now: () => 1_060_000 });
  useEverything(metrics.forStream(labels));
  const samples = await samplesOf(metrics);
  expect(samples).toEqual(
    expect.arrayContaining([
      `audit_export_delivered_entries_total{${own}} 1000`,
      `audit_export_rejected_entries_total{${own}} 2`,
      `audit_export_pending_entries{${own}} 5`,
      `audit_export_oldest_pending_age_seconds{${own}} 60`,
      `audit_export_parked_entries{${own}} 1`,
      `audit_export_stream_state{${own},state="delivering"} 1`,
      `audit_export_stream_state{${own},state="holding"} 0`,
      `audit_export_catch_up_entries_per_second{${own}} 12000`,
      `audit_export_requests_total{${own},outcome="settled",reason="none"} 1`,
      `audit_export_requests_total{${own},outcome="hold",reason="Unauthorized"} 1`,
      `audit_export_retries_total{${own},reason="RateLimited"} 1`,
      `audit_export_request_duration_seconds_count{${own}} 3`,
      `audit_export_delivery_delay_seconds_sum{${own}} 0.15`,
      'audit_export_batch_records_sum 1002',
      'audit_export_batch_bytes_sum 400800',
    ]),
  );
});

test('starts the counters of a stream at 0', async () => {
  const metrics = makeMetrics({ version: '1.2.3' });
  metrics.forStream(labels);
  expect(await samplesOf(metrics)).toContain(`audit_export_delivered_entries_total{${own}} 0`);
});

test('leaves nothing of a stream that was removed', async () => {
  const metrics = makeMetrics({ version: '1.2.3' });
  const other = metrics.forStream({ ...labels, name: 'acme-archive' });
  useEverything(other);
  const stream = metrics.forStream(labels);
  useEverything(stream);
  expect(await metrics.render()).toContain('acme-siem');
  stream.remove();
  expect(await metrics.render()).not.toContain('acme-siem');
  expect(await metrics.render()).toContain('acme-archive');
});

test('does not bring a removed stream back when an answer comes late', async () => {
  const metrics = makeMetrics({ version: '1.2.3' });
  const stream = metrics.forStream(labels);
  stream.remove();
  useEverything(stream);
  expect(await metrics.render()).not.toContain('acme-siem');
});

test('lets the second handle of a stream take over from the first', async () => {
  const metrics = makeMetrics({ version: '1.2.3' });
  const first = metrics.forStream(labels);
  useEverything(first);
  const second = metrics.forStream(labels);
  first.countDelivered(7);
  first.remove();
  second.countDelivered(5);
  expect(await samplesOf(metrics)).toContain(`audit_export_delivered_entries_total{${own}} 1005`);
  second.remove();
  expect(await metrics.render()).not.toContain('acme-siem');
});

test('lets the age of the oldest pending entry grow until it is settled', async () => {
  let now = 10_000;
  const metrics = makeMetrics({ version: '1.2.3', now: () => now });
  const stream = metrics.forStream(labels);
  const age = async () =>
    (await samplesOf(metrics))
      .find((line) => line.includes('oldest_pending'))
      ?.split(' ')
      .at(-1);
  expect(await age()).toBe('0');
  stream.setOldestPending(new Date(4_000));
  expect(await age()).toBe('6');
  now = 20_000;
  expect(await age()).toBe('16');
  stream.setOldestPending(null);
  expect(await age()).toBe('0');
});

test('counts database errors in few classes', async () => {
  const metrics = makeMetrics({ version: '1.2.3' });
  const postgresError = (code: string) => Object.assign(new Error('x'), { severity: 'ERROR', code });
  const errors = [
    postgresError('40001'),
    postgresError('40P01'),
    postgresError('23505'),
    postgresError('Q1234'),
    Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('write'), { code: 'EPIPE' }),
    new Error('Connection terminated unexpectedly'),
    new TypeError('bug'),
    'thrown text',
  ];
  for (const error of errors) metrics.countDatabaseError(error);
  const samples = (await samplesOf(metrics)).filter((line) => line.includes('database_errors'));
  expect(samples.toSorted()).toEqual([
    'audit_export_database_errors_total{class="23"} 1',
    'audit_export_database_errors_total{class="40"} 2',
    'audit_export_database_errors_total{class="connection"} 3',
    'audit_export_database_errors_total{class="other"} 3',
  ]);
});

test('says what runs and how the replica stands', async () => {
  const metrics = makeMetrics({ version: '1.2.3' });
  metrics.setLeasesHeld(3);
  metrics.observePoll(4);
  metrics.setConfigSource({ synced: true, configs: 4, problems: 1 });
  expect(await samplesOf(metrics)).toEqual(
    expect.arrayContaining([
      `audit_export_build_info{version="1.2.3",node="${process.version}"} 1`,
      'audit_export_leases_held 3',
      'audit_export_poll_duration_seconds_sum 0.004',
      'audit_export_config_source_synced 1',
      'audit_export_configs 4',
      'audit_export_config_problems 1',
    ]),
  );
  expect(await metrics.render()).toContain('process_cpu_seconds_total');
});

test('keeps the metrics of two instances apart', async () => {
  const first = makeMetrics({ version: '1.2.3' });
  const second = makeMetrics({ version: '1.2.3' });
  first.setLeasesHeld(3);
  expect(await samplesOf(second)).toContain('audit_export_leases_held 0');
});

test('costs a stream at most 60 series', async () => {
  const metrics = makeMetrics({ version: '1.2.3' });
  useEverything(metrics.forStream(labels));
  const series = (await metrics.render()).split('\n').filter((line) => line.includes('acme-siem'));
  expect(series.length).toBeLessThanOrEqual(60);
});

test('shows the conditions a config has now, and none of one that is gone', async () => {
  const { kubernetes, render } = makeMetrics({ version: '1.2.3' });
  const config = { namespace: 'flows', name: 'acme-siem' };
  const samples = async () =>
    (await render()).split('\n').filter((line) => line.startsWith('audit_export_config_condition{'));
  const labels = 'namespace="flows",name="acme-siem"';
  kubernetes.setConditions(config, [ready]);
  kubernetes.setConditions(config, [
    { ...ready, status: 'False' },
    { ...ready, type: 'Stalled' },
  ]);
  expect(await samples()).toEqual([
    `audit_export_config_condition{${labels},type="Ready",status="False"} 1`,
    `audit_export_config_condition{${labels},type="Stalled",status="True"} 1`,
  ]);
  kubernetes.setConditions(config, []);
  expect(await samples()).toEqual([]);
});
