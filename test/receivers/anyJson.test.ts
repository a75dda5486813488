/**
 * Whatever JSON an entry holds, a protobuf decoder that others wrote (the OpenTelemetry Collector's, in Go) reads from
 * our bytes what the rules of src/otlp/encode/jsonValue.ts say: compared is what the Collector forwards.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { RequestWriter } from '../../src/otlp/encode/request.ts';
import { identity, makeEntry, spell } from '../../tools/otlp/testEntries.ts';
import { isToolMissing, toolTimeoutMs } from '../tools/build.ts';
import { type Collector, startCollector } from '../tools/collector.ts';
import { insertEntries, migrateDatabase, openDatabase } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { type Receiver, startReceiver } from '../tools/receiver.ts';
import { jsonText, storableText } from './anyJson.ts';
import { readJson } from './readJson.ts';

describe.skipIf(isToolMissing('otelcol'))('any JSON, read by the Collector', () => {
  const postgres = usePostgres({ prepare: migrateDatabase });
  let receiver: Receiver;
  let collector: Collector;
  beforeAll(async () => {
    receiver = await startReceiver();
    collector = await startCollector({ forwardTo: receiver.endpoint });
  }, toolTimeoutMs);
  afterAll(async () => {
    await collector?.stop();
    await receiver?.stop();
  });

  test('is what the table holds, exactly, with keys in its order', { timeout: 90_000 }, async () => {
    const db = openDatabase(await postgres.createDatabase());
    onTestFinished(() => db.end());
    const engine = await startEngine(db);
    engine.setConfigs(makeConfig(collector.endpoint));
    const newEntry = fc.record({
      metadata: jsonText,
      eventType: storableText.map((text) => [...text].slice(0, 250).join('') || 'x'),
      project: fc.option(storableText),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(newEntry, { minLength: 1, maxLength: 40, size: 'max' }), async (entries) => {
        const ids = await insertEntries(db, entries);
        const { rows } = await db.query<{ uid: string; type: string; project: string | null; text: string }>(
          `select uid::text, event_type as type, project, metadata::text as text
           from audit.entries where id = any ($1::bigint[]) order by entries.id`,
          [ids],
        );
        // Several requests may be under way, and the last one arrive first.
        await receiver.waitFor((r) => rows.every(({ uid }) => r.ledger.sightings().has(uid)));
        const records = new Map(receiver.records.map((record) => [record.uid, record]));
        receiver.requests.length = 0;
        for (const { uid, type, project, text } of rows) {
          const record = records.get(uid);
          expect(record).toBeDefined();
          expect(spell(record?.body ?? null)).toBe(spell(readJson(text)));
          expect(record?.eventName).toBe(type);
          expect(record?.attributes.get('audit.event.type')).toBe(type);
          expect(record?.attributes.get('audit.project.id') ?? null).toBe(project);
        }
      }),
      // Shrinking sends each smaller example too, so it gets an end.
      { numRuns: 60, interruptAfterTimeLimit: 60_000 },
    );
    expect(receiver.problems).toEqual([]);
    expect(receiver.ledger.missingSequences()).toEqual([]);
    expect(engine.health()).toMatchObject({ parked: 0, rejected: 0, failure: null });
  });

  test('keeps what a jsonb column could not hold', async () => {
    const own = await startReceiver();
    onTestFinished(() => own.stop());
    const itsCollector = await startCollector({ forwardTo: own.endpoint });
    onTestFinished(() => itsCollector.stop());
    const json = [
      '{"a": 1, "b": 2, "a": 3}',
      String.raw`{"a": 1, "\u0061": {"b": 1, "b": 2}}`,
      String.raw`"\u0000"`,
      String.raw`{"key\u0000": "\u0000"}`,
      String.raw`"a\ud83d"`,
      String.raw`["\ude00\n", "\ud83d\ud83d\ude00", "\ud83d\ude00"]`,
      String.raw`[{"a" : 1, "\ud83d":2}, 3]`,
      '[1e400, -1e400, 1e-400, 1E+2, 0e999999999, -0, -0.0, 0.1, 5e-324, 1.7976931348623157e308]',
      '[0.30000000000000004, 0.30000000000000003, 9007199254740993.0, 1.10, 123456789012345678]',
      ' \t\r\n{ "a" :\n[ 1 ,\t2 ] , "b":{ } } ',
      `${'[{"k":'.repeat(100)}1${'}]'.repeat(100)}`,
      'null',
    ];
    const noJson = ['', '{', '{"a": NaN}', 'tru', '"\u0001"', '01'];
    const noUtf8 = [Buffer.from([0xff]), Buffer.from('{"a": "\xe9"}', 'latin1')];
    const metadata = [...json, ...noJson].map((text) => Buffer.from(text)).concat(noUtf8);
    const expected = [...json.map(readJson), ...noJson, ...noUtf8];

    const writer = new RequestWriter(identity);
    metadata.forEach((bytes, at) => {
      writer.append(makeEntry({ metadata: bytes, uid: uuidOf(at) }), {
        sequence: at + 1,
        observedAtMicros: 1_784_000_001_000_000,
      });
    });
    const response = await fetch(itsCollector.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(writer.request()),
    });
    expect(response.status).toBe(200);
    expect(own.problems).toEqual([]);
    const bodies = own.records.map((record) => spell(record.body));
    expect(bodies).toEqual(expected.map(spell));
  });

  test('takes text that is not UTF-8 in every column, as a database in SQL_ASCII may hold it', async () => {
    const own = await startReceiver();
    onTestFinished(() => own.stop());
    const itsCollector = await startCollector({ forwardTo: own.endpoint });
    onTestFinished(() => itsCollector.stop());
    const bytes = Buffer.from('caf\xe9', 'latin1');
    const writer = new RequestWriter(identity);
    writer.append(
      makeEntry({ eventType: bytes, actorId: bytes, actorName: bytes, sessionType: bytes, project: bytes }),
      { sequence: 1, observedAtMicros: 1 },
    );
    const response = await fetch(itsCollector.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(writer.request()),
    });
    expect(response.status).toBe(200);
    const [record] = own.records;
    expect(record?.eventName).toBe('caf\ufffd');
    for (const name of ['audit.event.type', 'user.id', 'user.name', 'audit.session.type', 'audit.project.id'])
      expect(spell(record?.attributes.get(name) ?? null)).toBe(spell(new Uint8Array(bytes)));
  });
});

function uuidOf(number: number): Buffer {
  return Buffer.from(number.toString(16).padStart(32, '0'), 'hex');
}
