import { expect, test } from 'vitest';
import { makeEntry } from '../../../tools/otlp/testEntries.ts';
import { Fingerprinter } from '../../ledger/fingerprint.ts';
import { formatUid } from '../uid.ts';
import type { CopyFormat } from './format.ts';
import { otlpJson } from './otlpJson.ts';
import { pageCsv } from './pageCsv.ts';
import { pageNdjson } from './pageNdjson.ts';

const entry = makeEntry({
  eventType: Buffer.from('flow.created'),
  actorId: null,
  actorName: Buffer.from('Ann'),
  sessionType: Buffer.from('user'),
  project: null,
  metadata: Buffer.from('{"a": true}'),
  occurredAtMicros: 0,
});
const uid = formatUid(entry.uid);
const fingerprint = new Fingerprinter().fingerprint(entry);

/** Whether each record of the last line is as sealed; or what is wrong with the line. */
function read(format: CopyFormat, ...lines: string[]): boolean | string | undefined {
  const readLine = format.makeReader();
  const seen: Array<boolean | undefined> = [];
  const results = lines.map((line) =>
    readLine(Buffer.from(line), (record) => void seen.push(record.matches?.(fingerprint))),
  );
  const last = results.at(-1);
  return last?.kind === 'unreadable' ? last.problem : seen.every(Boolean);
}

test('a line of NDJSON is read as everybody else reads it, whatever is hidden in it', () => {
  const fields = `"id":"${entry.id}","uid":"${uid}","occurredAt":"1970-01-01T00:00:00.000000Z","eventType":"flow.created","actorId":null,"actorName":"Ann","sessionType":"user","project":null`;
  const sealed = '"metadata":{"a": true}';
  const forged = '"metadata": {"a": false}';
  expect(read(pageNdjson, `{${fields},${sealed}}`)).toBe(true);
  expect(read(pageNdjson, `{ "what": {${forged}}, ${sealed} ,${fields}} \r`)).toBe(true);
  for (const line of [
    `{${sealed},${fields}, ${forged}}`,
    `{"meta\\u0064ata":{"a": true},${fields}, ${forged}}`,
    `{"what":{"x":1,${sealed}},${fields},${forged}}`,
    `{"what":{${sealed}},${fields}, ${forged}}`,
    `{"what":"{\\"metadata\\":{}",${fields}, ${forged}}`,
    `{${fields},${sealed},"actorName":"Eve"}`,
  ])
    expect([line, read(pageNdjson, line)]).toEqual([line, false]);
  expect(read(pageNdjson, `{${fields},${sealed}} and more`)).toBe('it is no entry of the page.');
});

test('a row of CSV has no text that is in no cell, and no column twice', () => {
  const header = 'id,uid,occurred_at,event_type,actor_id,actor_name,session_type,project,metadata';
  const row = (name: string) =>
    `${entry.id},${uid},1970-01-01T00:00:00.000000Z,flow.created,,${name},user,,"{""a"": true}"`;
  expect(read(pageCsv, header, row('"Ann"'))).toBe(true);
  for (const forged of [row('"Ann" or Eve'), `${row('Ann')} and more`])
    expect(read(pageCsv, header, forged)).toBe('it has text behind the closing quote of a cell.');
  expect(pageCsv.recognizes(Buffer.from(`${header},what`), undefined)).toBe(true);
  expect(pageCsv.recognizes(Buffer.from(`${header},metadata`), undefined)).toBe(false);
});

test('a record of OTLP/JSON that readers can take for two different ones is not as sealed', () => {
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const record = {
    body: { kvlistValue: { values: [{ key: 'a', value: { boolValue: true } }] } },
    eventName: 'flow.created',
    attributes: [
      text('log.record.uid', uid),
      { key: 'audit.entry.id', value: { intValue: String(entry.id) } },
      text('audit.event.type', 'flow.created'),
      text('user.name', 'Ann'),
      text('audit.session.type', 'user'),
    ],
  };
  const readRecord = (change: object) =>
    read(
      otlpJson,
      JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ ...record, ...change }] }] }] }),
    );
  const bodyOf = (value: unknown) => ({ body: { kvlistValue: { values: [{ key: 'a', value }] } } });
  expect(readRecord({})).toBe(true);
  expect(readRecord({ severityText: 'INFO', time_unix_nano: '0' })).toBe(true);
  for (const change of [
    { event_name: 'flow.deleted' },
    { timeUnixNano: '0', time_unix_nano: '1' },
    { timeUnixNano: 'never' },
    { body: { ...record.body, stringValue: 'another' } },
    bodyOf({ boolValue: 'no' }),
    bodyOf({ intValue: 'x' }),
    bodyOf({ intValue: 1.5 }),
    bodyOf({ stringValue: ['true'] }),
    { attributes: [...record.attributes, null] },
  ])
    expect([change, readRecord(change)]).toEqual([change, false]);
  const hidden = {
    scopeLogs: [{ logRecords: [record], log_records: [{ ...record, eventName: 'another' }] }],
  };
  expect(read(otlpJson, JSON.stringify({ resourceLogs: [hidden] }))).toBe(false);
  expect(read(otlpJson, JSON.stringify({ resourceLogs: [], resource_logs: [hidden] }))).toBe(false);
});
