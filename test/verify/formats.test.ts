/** Copies in every other format that `verify` reads, from the real writer where there is one here. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { FullEntry } from '../../src/database/entries.ts';
import type { Entry } from '../../src/model/entry.ts';
import { RequestWriter } from '../../src/otlp/encode/request.ts';
import { parseCommandLine } from '../../src/settings/command.ts';
import { readVerifyOptions, verifyOptions } from '../../src/verify/options.ts';
import { formatUid } from '../../src/verify/uid.ts';
import { csvHeader, csvRow } from '../../src/web/format/csv.ts';
import { entryJson } from '../../src/web/format/entryJson.ts';
import { identity } from '../../tools/otlp/testEntries.ts';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { type LedgerFolder, leavesOf, writeLedger } from '../tools/ledgerFolder.ts';
import { runCommand } from '../tools/runCommand.ts';
import { startVictoriaLogs } from '../tools/victoriaLogs.ts';
import { runVerify, type VerifyResult } from './runVerify.ts';
import { makeEntries } from './sealedCopies.ts';

// jsonb has no 1e400 and prints in its own order; both stand in the file as they are here.
// Some hundred real events are enough here: verify.test.ts has all of them.
const entries = makeEntries().slice(0, 600);
const total = entries.length;
const shown = total.toLocaleString('en-US');

const sampleKey = 'audit.example.com+4ffeabe4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4';

let folder: string;
let ledger: LedgerFolder;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-export-verify-'));
  ledger = await writeLedger(folder, leavesOf(entries));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function verify(content: string, ...options: string[]): Promise<VerifyResult> {
  const file = join(folder, 'copy');
  await writeFile(file, content);
  const trusted = ['--ledger', folder, '--public-key', join(folder, 'vkeys')];
  return runVerify([file, ...trusted, ...options]);
}

function toFullEntry(entry: Entry): FullEntry {
  const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString());
  return {
    id: String(entry.id),
    uid: formatUid(entry.uid),
    occurredAt: new Date(Math.floor(entry.occurredAtMicros / 1_000))
      .toISOString()
      .replace('Z', `${String(((entry.occurredAtMicros % 1_000) + 1_000) % 1_000).padStart(3, '0')}Z`),
    eventType: text(entry.eventType) ?? '',
    actorId: text(entry.actorId),
    actorName: text(entry.actorName),
    sessionType: text(entry.sessionType) ?? '',
    project: text(entry.project),
    metadata: text(entry.metadata),
    leftOut: [],
  };
}

/** What the page writes; `leftOut` is in it only when it names something. */
function toNdjson(list: readonly FullEntry[]): string {
  return list.map((entry) => `${entryJson(entry)}\n`).join('');
}

const full = entries.map(toFullEntry);
const nameOf = (number: number) => `Entry number ${number} (id ${number}, uid ${full[number - 1]?.uid})`;

test("the page's NDJSON is proven, also when jq has reordered it, and an altered entry is named", async () => {
  const proven = await verify(toNdjson(full));
  expect(proven.stdout).toContain(`Proven: each of the ${shown} sealed entries`);
  expect(proven.code).toBe(0);
  const reordered = toNdjson(full)
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/^(\{.*?),"metadata":(.*)\}$/s, '{"metadata": $2 ,$1}').replace(',{', ','))
    .join('\n');
  expect((await verify(reordered)).stdout).toContain('Proven:');
  const changed = full.map((entry, at) => (at === 9 ? { ...entry, metadata: '9223372036854775806' } : entry));
  const wrong = await verify(toNdjson(changed.toSpliced(4, 1)));
  expect(wrong.stdout).toContain(`${nameOf(10)} is not as it was sealed: ${join(folder, 'copy')}, line 9.`);
  expect(wrong.stdout).toContain(`${nameOf(5)} is missing.`);
  expect(wrong.code).toBe(1);
});

test("the page's CSV is proven, whatever apostrophes and empty cells it has", async () => {
  const csv = `${csvHeader}${full.map(csvRow).join('')}`;
  const proven = await verify(csv);
  expect(proven.stdout).toContain("the page's CSV.");
  expect(proven.stdout).toContain(`Proven: each of the ${shown} sealed entries`);
  expect(proven.code).toBe(0);
  const wrong = await verify(csv.replace(',Ada,', ',Eve,'));
  expect(wrong.stdout).toContain(`${nameOf(1)} is not as it was sealed`);
  expect(wrong.code).toBe(1);
});

/** Rows of a receiver that keeps attributes as text, and no contents. */
const attributesOf = (entry: FullEntry, at: number) => ({
  'log.record.uid': entry.uid,
  'audit.entry.id': entry.id,
  'audit.sequence.number': at + 1,
  'audit.stream.id': 'acme-siem',
});

describe.each<[string, (list: readonly FullEntry[]) => string]>([
  [
    'Elasticsearch',
    (list) =>
      list
        .map((entry, at) =>
          JSON.stringify({
            _index: 'logs',
            _source: { attributes: attributesOf(entry, at), body: { text: 'x' } },
          }),
        )
        .join('\n'),
  ],
  [
    'Loki (logcli)',
    (list) =>
      list
        .map((entry, at) =>
          JSON.stringify({
            labels: Object.fromEntries(
              Object.entries(attributesOf(entry, at)).map(([key, value]) => [
                key.replaceAll('.', '_'),
                String(value),
              ]),
            ),
            line: '{}',
            timestamp: '2026-01-01T00:00:00Z',
          }),
        )
        .join('\n'),
  ],
  [
    'Loki (query API)',
    (list) =>
      JSON.stringify({
        status: 'success',
        data: {
          resultType: 'streams',
          result: list.map((entry, at) => ({
            stream: { service_name: 'audit-export' },
            values: [
              [
                '1784000000123456000',
                '{}',
                {
                  structuredMetadata: {
                    log_record_uid: entry.uid,
                    audit_entry_id: entry.id,
                    audit_sequence_number: String(at + 1),
                    audit_stream_id: 'acme-siem',
                  },
                },
              ],
            ],
          })),
        },
      }),
  ],
])('a copy of %s', (_name, write) => {
  test('is complete, and its contents are not proven', async () => {
    const { code, stdout } = await verify(write(full));
    expect(stdout).toContain(`Stream acme-siem: the sequence 1…${shown} has no gap.`);
    expect(stdout).toContain(
      `Proven in part. The contents of ${shown} records cannot be checked: this format does not keep them as they were. Each of the ${shown} sealed entries is here.`,
    );
    expect(code).toBe(3);
    const wrong = await verify(
      write(full.map((entry, at) => (at === 6 ? { ...entry, id: '77' } : entry)).slice(0, -1)),
    );
    expect(wrong.stdout).toContain(`${nameOf(7)} is not as it was sealed`);
    expect(wrong.stdout).toContain(`(id ${total}, uid ${full.at(-1)?.uid}) is missing.`);
    expect(wrong.code).toBe(1);
  });
});

describe.skipIf(isToolMissing('victoria-logs'))('a copy of VictoriaLogs', () => {
  beforeAll(() => provideTool('victoria-logs').then(() => {}), toolTimeoutMs);

  test('is complete, and its contents are not proven', { timeout: 60_000 }, async () => {
    const victoriaLogs = await startVictoriaLogs();
    onTestFinished(() => victoriaLogs.stop());
    // Entries without a time, and one with a second uid in its metadata, VictoriaLogs keeps under another.
    const kept = entries.filter(
      ({ occurredAtMicros, metadata }) =>
        occurredAtMicros > 1 && !Buffer.from(metadata).includes('log.record.uid'),
    );
    const writer = new RequestWriter(identity, 0);
    for (const [at, entry] of kept.entries())
      writer.append(entry, { sequence: at + 1, observedAtMicros: 1_784_000_001_000_000 });
    const response = await fetch(victoriaLogs.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: Uint8Array.from(writer.request()),
    });
    expect(response.status).toBe(200);
    const rows = await victoriaLogs.query('*');
    const own = await writeLedger(join(folder, 'victorialogs'), leavesOf(kept));
    const file = join(folder, 'rows');
    await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const options = ['--ledger', own.folder, '--public-key', own.publicKey];
    const { code, stdout } = await runVerify([file, ...options]);
    expect(stdout).toContain(
      `has no gap.\nProven in part. The contents of ${kept.length.toLocaleString('en-US')}`,
    );
    expect(code).toBe(3);
  });
});

test('a ledger is read from a server as well, with a header, and its secret goes nowhere else', async () => {
  const asked = new Set<string>();
  const server = createServer(async (request, response) => {
    const path = request.url?.replace('/ledger/', '') ?? '';
    if (request.headers.authorization !== 'Bearer s3cret') return response.writeHead(401).end();
    asked.add(path);
    if (path === 'endless/checkpoint')
      return pipeline(
        (function* () {
          for (;;) yield Buffer.alloc(65_536);
        })(),
        response,
        () => {},
      );
    if (path === 'moved/checkpoint') return response.writeHead(302, { location: '/ledger/checkpoint' }).end();
    return response.end(await readFile(join(folder, path)).catch(() => ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  onTestFinished(() => server.closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ledger`;
  const file = join(folder, 'page.ndjson');
  await writeFile(file, toNdjson(full));
  const run = (...options: string[]) => runVerify([file, '--public-key', ledger.publicKey, ...options]);
  const proven = await run('--ledger', url, '--header', 'Authorization: Bearer s3cret');
  expect(proven.stdout).toContain('Proven:');
  const endless = await run('--ledger', `${url}/endless`, '--header', 'Authorization: Bearer s3cret');
  expect(endless.stderr).toContain('/ledger/endless/checkpoint is too large');
  asked.delete('endless/checkpoint');
  expect([...asked].every((path) => path === 'checkpoint' || path.startsWith('tile/entries/'))).toBe(true);
  const without = await run('--ledger', url);
  expect(without.stderr).toContain(
    '/ledger/checkpoint cannot be read: it answered 401; pass a header with --header.',
  );
  const moved = await run('--ledger', `${url}/moved`, '--header', 'Authorization: Bearer s3cret');
  expect(moved.stderr).toContain('cannot be read: unexpected redirect');
  expect([proven.code, without.code, moved.code]).toEqual([0, 2, 2]);
});

test('the command runs it, and refuses a wrong command line in one sentence', async () => {
  const file = join(folder, 'command.ndjson');
  await writeFile(file, toNdjson(full));
  const proven = await runCommand([
    'cmd/verify.ts',
    file,
    '--ledger',
    folder,
    '--public-key',
    ledger.publicKey,
  ]);
  expect(proven.stdout).toContain('Proven:');
  expect(proven.code).toBe(0);
  const { code, stdout, problems } = await runCommand(['cmd/verify.ts', 'copy', '--ledger', 'x']);
  expect({ code, stdout, problems }).toEqual({
    code: 2,
    stdout: '',
    problems: [
      'node cmd/verify.ts needs --public-key KEY: without it a ledger proves nothing; see node cmd/verify.ts --help.',
    ],
  });
});

test.each<[string, string[], string]>([
  ['no file', ['--ledger=x', '--public-key=x'], 'needs at least one FILE'],
  ['no ledger', ['copy', '--public-key=x'], 'needs --ledger DIR|URL'],
  [
    'a key that is none',
    ['copy', '--ledger=x', '--public-key=abc'],
    'no verifier key (NAME+ID+KEY), and no file',
  ],
  [
    'a bad header',
    ['copy', '--ledger=x', `--public-key=${sampleKey}`, '--header=secret'],
    "needs a header as 'NAME: VALUE'",
  ],
  [
    'a URL that is none',
    ['copy', '--ledger=https://[secret', `--public-key=${sampleKey}`],
    'needs whole URLs',
  ],
  [
    'a URL with a password',
    ['https://me:secret@example.com/', '--ledger=x', `--public-key=${sampleKey}`],
    'without a user and a password',
  ],
  [
    'an origin that is none',
    ['copy', '--ledger=x', '--origin=a b', `--public-key=${sampleKey}`],
    'the origin "a b"',
  ],
  [
    'no such checkpoint',
    ['copy', '--ledger=x', `--public-key=${sampleKey}`, '--older=nowhere'],
    'older checkpoint nowhere',
  ],
])('%s is a wrong command line', (_what, args, sentence) => {
  const line = parseCommandLine(args, {
    name: 'verify',
    summary: '',
    version: '',
    operands: 'FILE…',
    options: verifyOptions,
  });
  const options = line.kind === 'run' ? readVerifyOptions(line) : line;
  expect(options).toMatchObject({ kind: 'wrong', problem: expect.stringContaining(sentence) });
  expect(JSON.stringify(options)).not.toContain('secret');
});

test('a file that is not there, or in no format, is not judged', async () => {
  const { code, stderr } = await verify('hello\n');
  expect(stderr).toMatch(/copy is in none of these formats: OTLP\/JSON lines.*\.$/m);
  const trusted = ['--ledger', folder, '--public-key', ledger.publicKey];
  const missing = await runVerify([join(folder, 'nowhere'), ...trusted]);
  expect(missing.stderr).toContain('nowhere cannot be read');
  expect([code, missing.code]).toEqual([2, 2]);
});
