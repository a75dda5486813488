/** What docs/receivers.md tells people to do, done: its files as they stand, with this machine's addresses in them. */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { findFreePort } from '../../tools/freePort.ts';
import { isListening, startService } from '../../tools/service.ts';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { startCollector } from '../tools/collector.ts';
import { type CollectorProcess, makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, uidsOf } from '../tools/database.ts';
import { findOnPath } from '../tools/findOnPath.ts';
import { usePostgres } from '../tools/postgres.ts';
import { ok } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';
import { startVictoriaLogs } from '../tools/victoriaLogs.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const jq = findOnPath('jq');
const recipe = (name: string) => join(import.meta.dirname, '../../docs/recipes', name);

/** The entry that docs/receivers.md shows at each receiver. */
const example = {
  eventType: 'flow.created',
  project: 'web',
  metadata: '{"flowId": 42, "name": "Payroll", "tags": ["a", 1], "by": {"ip": "192.0.2.1"}}',
};

/** The block of JSON in a section of docs/receivers.md. */
async function readExample(section: string): Promise<unknown> {
  const page = await readFile(join(import.meta.dirname, '../../docs/receivers.md'), 'utf8');
  const [, text = ''] = page.split(`\n## ${section}\n`);
  return JSON.parse(/^```json\n([\s\S]+?)\n```$/m.exec(text)?.[1] ?? '');
}

/** Without what differs from run to run. */
function settled(value: unknown): unknown {
  const text = JSON.stringify(value)
    .replace(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g, 'UUID')
    .replace(/"_stream_id":"[0-9a-f]+"/, '"_stream_id":"HEX"')
    .replace(/"_time":"[^"]+"/, '"_time":"TIME"')
    .replace(/UnixNano":"\d+"/g, 'UnixNano":"NANOS"')
    .replace(/("key":"audit\.(?:entry\.id|sequence\.number)","value":\{"intValue":)"\d+"/g, '$1"N"')
    .replace(/("audit\.(?:entry\.id|sequence\.number)":)"\d+"/g, '$1"N"')
    .replace(/"scope\.version":"[^"]+"/, '"scope.version":"V"');
  return JSON.parse(text);
}

describe.skipIf(isToolMissing('otelcol'))('the recipe for the OpenTelemetry Collector', () => {
  beforeAll(() => provideTool('otelcol').then(() => {}), toolTimeoutMs);

  test.skipIf(jq === undefined)('shows one record, and gaps and repeats by jq', async () => {
    const { url, db, receiver } = await setUp(postgres);
    const otelcol = await startCollector({ forwardTo: receiver.endpoint });
    onTestFinished(() => otelcol.stop());
    const audit = await makeCollectorProcess(url);
    const spec = {
      organization: 'acme',
      endpoint: otelcol.endpoint,
      maxBatchSize: 4,
      startFrom: 'Beginning',
    };
    await audit.writeConfig('acme-otel', spec);
    await insertEntries(db, [example, ...numbered(9)]);
    audit.start();
    await audit.waitForStatus('acme-otel', (status) => status.deliveredEntries === 10);
    const first = receiver.records.find(({ raw }) => raw.includes('Payroll'));

    expect(settled(JSON.parse(first?.raw ?? ''))).toEqual(
      settled(await readExample('OpenTelemetry Collector')),
    );
    // As the Collector's file exporter writes them: a request a line. One came twice, and one is missing.
    const lines = receiver.requests.map(({ body }) => Buffer.from(body).toString());
    const page = await readFile(join(import.meta.dirname, '../../docs/receivers.md'), 'utf8');
    const [, query = ''] = /^```jq\n([\s\S]+?)\n```$/m.exec(page) ?? [];
    const count = (text: readonly string[]): unknown =>
      JSON.parse(execFileSync(jq ?? '', ['-s', '-c', query], { input: text.join('\n') }).toString());
    const all = { stream: expect.any(String), numbers: 10, highest: 10, records: 10 };
    expect(count(lines)).toEqual(all);
    const repeated = receiver.requests[0]?.recordCount ?? 0;
    expect(count([...lines, lines[0] ?? ''])).toEqual({ ...all, records: 10 + repeated });
    const lost = receiver.requests.findIndex(({ records }) => records.every(({ sequence }) => sequence < 10));
    const left = 10 - (receiver.requests[lost]?.recordCount ?? 0);
    expect(count(lines.toSpliced(lost, 1))).toEqual({ ...all, numbers: left, records: left });
  });

  test('loses nothing while the backend of the Collector fails, and shows that it does', async () => {
    const { url, db, receiver } = await setUp(postgres);
    const port = await findFreePort();
    const otelcol = await startService({
      name: 'The OpenTelemetry Collector',
      command: await provideTool('otelcol'),
      args: [`--config=file:${recipe('opentelemetry-collector.yaml')}`],
      env: { LISTEN_ADDRESS: `127.0.0.1:${port}`, LOGS_ENDPOINT: receiver.endpoint },
      isReady: () => isListening(port),
    });
    onTestFinished(otelcol.stop);
    const audit = await makeCollectorProcess(url);
    await mkdir(join(audit.directory, 'secrets/acme-otel'), { recursive: true });
    await writeFile(join(audit.directory, 'secrets/acme-otel/authorization'), 'Bearer t0ken');
    const name = await writeRecipe(audit, 'opentelemetry-collector.export.yaml', `http://127.0.0.1:${port}`);
    audit.start();
    await audit.waitForStatus(name, (status) => status.conditions.length > 0);
    receiver.answerWith({ status: 503, body: 'full' });
    await insertEntries(db, numbered(50));
    // What the page says of each answer of the backend.
    for (const [status, lastError] of [
      [503, { reason: 'ReceiverUnavailable', httpStatus: 503 }],
      [400, { reason: 'EntryRefused', httpStatus: 400 }],
      [401, { reason: 'Unauthorized', httpStatus: 401 }],
      [413, { reason: 'ReceiverUnavailable', httpStatus: 500 }],
    ] as const) {
      receiver.answerWith({ status, body: 'no' });
      const failing = await audit.waitForStatus(
        name,
        (one) => one.lastError?.httpStatus === lastError.httpStatus,
      );
      expect(failing).toMatchObject({ lastError, deliveredEntries: 0, parkedEntries: 0 });
    }

    receiver.answerWith(ok);
    await audit.waitForStatus(
      name,
      (status) => status.deliveredEntries === 50 && status.pendingEntries === 0,
    );
    expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
    expect(receiver.ledger.missingSequences()).toEqual([]);
    expect(receiver.problems).toEqual([]);
  });
});

describe.skipIf(isToolMissing('victoria-logs'))('the recipe for VictoriaLogs', () => {
  beforeAll(() => provideTool('victoria-logs').then(() => {}), toolTimeoutMs);

  test('has every entry, found by the queries of the page', async () => {
    const { url, db } = await setUp(postgres);
    const victoriaLogs = await startVictoriaLogs();
    onTestFinished(() => victoriaLogs.stop());
    const audit = await makeCollectorProcess(url);
    const name = await writeRecipe(audit, 'victorialogs.export.yaml', new URL(victoriaLogs.endpoint).origin);
    audit.start();
    await audit.waitForStatus(name, (status) => status.conditions.length > 0);
    await insertEntries(db, [example, ...numbered(29)]);
    await audit.waitForStatus(name, (status) => status.deliveredEntries === 30);
    const [row] = await victoriaLogs.query('flowId:="42"');
    expect(settled(row)).toEqual(settled(await readExample('VictoriaLogs')));

    const page = await readFile(join(import.meta.dirname, '../../docs/receivers.md'), 'utf8');
    const queries = [...page.matchAll(/^```logsql\n(.+)\n```$/gm)].map(([, query = '']) => query);
    expect(queries.length).toBeGreaterThanOrEqual(2);
    for (const query of queries) {
      const rows = await victoriaLogs.query(query);
      expect(rows.map((row) => row['log.record.uid']).sort(), query).toEqual(await uidsOf(db));
    }
  });
});

test.each([
  'opentelemetry-collector.yaml',
  'opentelemetry-collector.export.yaml',
  'victorialogs.export.yaml',
])('docs/receivers.md shows docs/recipes/%s as it is', async (name) => {
  const page = await readFile(join(import.meta.dirname, '../../docs/receivers.md'), 'utf8');
  expect(page).toContain(`\`\`\`yaml\n${await readFile(recipe(name), 'utf8')}\`\`\``);
});

/** The manifest with another origin in its endpoint, and entries of before. Returns its name. */
async function writeRecipe(audit: CollectorProcess, file: string, origin: string): Promise<string> {
  const manifest = parse(await readFile(recipe(file), 'utf8')) as {
    metadata: { name: string };
    spec: { endpoint: string };
  };
  const endpoint = new URL(manifest.spec.endpoint);
  const path = manifest.spec.endpoint.slice(endpoint.origin.length);
  await audit.writeConfig(manifest.metadata.name, { ...manifest.spec, endpoint: `${origin}${path}` });
  return manifest.metadata.name;
}
