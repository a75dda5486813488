/** Entries for the tests of `verify`, and what a real Collector makes of them. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Entry } from '../../src/model/entry.ts';
import { RequestWriter } from '../../src/otlp/encode/request.ts';
import { findFreePort } from '../../tools/freePort.ts';
import { identity, makeEntry } from '../../tools/otlp/testEntries.ts';
import { isListening, startService } from '../../tools/service.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { provideTool } from '../tools/build.ts';

const realEvents = new URL('../../../shared/data/cloudtrail.ndjson.gz', import.meta.url);

/** Metadata of every kind, with what encoders get wrong. */
const oddMetadata = [
  '{}',
  '[]',
  'null',
  '""',
  '"text"',
  'true',
  'false',
  '0',
  '-1',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '9007199254740993',
  '1.5',
  '-0',
  '[-0.0]',
  '1.0',
  '0.1',
  '1e400',
  '0.1234567890123456789',
  '1000000000000000000000',
  '{"": 1, "b": {"": null}}',
  '{"é": 1, "zz": 2, "a": 3, "B": 4}',
  '{"null": null, "empty": "", "list": [], "map": {}, "zero": 0, "false": false}',
  '[[[]], [null], [{}]]',
  '{"a": "\\u0001\\n\\t\\"\\\\", "😀": "Grüße 😀 漢字"}',
  '{"log.record.uid": "11111111-2222-4333-8444-555555555555", "user.name": "Eve"}',
  '{"a": ['.repeat(13) + ']}'.repeat(13),
  `{"long": "${'x'.repeat(70_000)}"}`,
  `[${'1, '.repeat(300)}2]`,
];

const text = (value: string): Buffer => Buffer.from(value);

/** Odd ones, then the 2,900 real events where their file lies beside the repository; without it 300 plain ones. */
export function makeEntries(): Entry[] {
  const columns: Array<Partial<Entry>> = [
    ...oddMetadata.map((metadata) => ({ metadata: text(metadata) })),
    { actorId: null, actorName: null, project: null },
    { actorId: text(''), actorName: text(''), project: text(''), sessionType: text('') },
    { occurredAtMicros: 0 },
    { occurredAtMicros: -1 },
    { occurredAtMicros: 1 },
    { eventType: text('ü'.repeat(200)), actorName: text('=1+1'), project: text("a;=b'") },
    ...(existsSync(realEvents) ? realColumns() : plainColumns()),
  ];
  return columns.map((column, at) => makeEntry({ ...column, id: BigInt(at + 1), uid: uidOf(at) }));
}

/** Text that is not UTF-8, which only a database in SQL_ASCII has. */
export function makeBrokenText(id: number): Entry {
  const broken = Buffer.from('41ff', 'hex');
  return makeEntry({
    id: BigInt(id),
    uid: uidOf(id),
    eventType: broken,
    actorId: broken,
    project: broken,
    metadata: broken,
  });
}

function uidOf(at: number): Buffer {
  const uid = Buffer.from('0f8fad5bd9cb469fa165000000000000', 'hex');
  uid.writeUInt32BE((at * 2_654_435_761) % 2 ** 32, 0);
  uid.writeUInt32BE(at, 12);
  return uid;
}

function realColumns(): Array<Partial<Entry>> {
  const lines = gunzipSync(readFileSync(realEvents)).toString().trim().split('\n');
  return lines.map((line, at) => {
    const event = JSON.parse(line);
    return {
      eventType: text(event.eventType),
      actorId: text(event.actor.id),
      actorName: text(event.actor.name),
      sessionType: text(event.actor.sessionType),
      project: event.project === null ? null : text(event.project),
      metadata: text(line.slice(line.indexOf('"metadata": ') + 12, -1)),
      occurredAtMicros: Date.parse(event.occurredAt) * 1_000 + at,
    };
  });
}

function plainColumns(): Array<Partial<Entry>> {
  process.stderr.write(
    'Without ../shared/data/cloudtrail.ndjson.gz, `verify` is tested with made-up entries.\n',
  );
  return Array.from({ length: 300 }, (_, at) => ({ metadata: text(`{"at": ${at}}`) }));
}

/** The lines that a real Collector's file exporter writes of the entries, in requests of 100. */
export async function archiveByCollector(entries: readonly Entry[], folder: string): Promise<string[]> {
  const port = await findFreePort();
  const file = join(folder, 'collector.jsonl');
  const collector = await startService({
    name: 'The archive',
    command: await provideTool('otelcol'),
    args: [
      `--config=file:${join(import.meta.dirname, '../../docs/recipes/archive.yaml')}`,
      '--set=service.telemetry.metrics.level=none',
    ],
    env: { LISTEN_ADDRESS: `127.0.0.1:${port}`, ARCHIVE_FILE: file },
    isReady: () => isListening(port),
  });
  try {
    let requests = 0;
    for (let at = 0; at < entries.length; at += 100) {
      const writer = new RequestWriter(identity, 0);
      for (const [i, entry] of entries.slice(at, at + 100).entries())
        writer.append(entry, { sequence: at + i + 1, observedAtMicros: 1_784_000_001_000_000 });
      const response = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: Uint8Array.from(writer.request()),
      });
      if (!response.ok) throw new Error(`The Collector answered ${response.status}.`);
      requests++;
    }
    const readAll = async (): Promise<string[]> => (await readFile(file, 'utf8')).split('\n').slice(0, -1);
    await waitFor(async () => (await readAll()).length === requests, { timeoutMs: 30_000 });
    return await readAll();
  } finally {
    await collector.stop();
  }
}
