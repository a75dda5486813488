/** OTLP/JSON lines, each a request (ExportLogsServiceRequest): what a Collector's file exporter writes. */
import type { CopyRecord } from '../copyRecord.ts';
import { type CopyFormat, parseJson, unreadable, wasRead } from './format.ts';
import { fingerprintRecord, intValueOf, stringValueOf } from './otlpRecord.ts';

type Json = Readonly<Record<string, unknown>>;

export const otlpJson: CopyFormat = {
  name: 'otlp-json',
  title: 'OTLP/JSON lines, as a Collector writes files',
  recognizes: (_line, json) => hasLogs(json),
  makeReader: () => (line, see) => {
    const request = parseRequest(line);
    if (!hasLogs(request)) return unreadable('it is no request of OTLP/JSON.');
    for (const resource of list(request, 'resourceLogs', 'resource_logs'))
      for (const scope of list(resource, 'scopeLogs', 'scope_logs'))
        for (const record of list(scope, 'logRecords', 'log_records')) see(toCopyRecord(record));
    return wasRead;
  },
};

function hasLogs(json: unknown): json is Json {
  const { resourceLogs, resource_logs: snakeLogs } = (json ?? {}) as Json;
  return Array.isArray(resourceLogs) || Array.isArray(snakeLogs);
}

/** A list by either spelling of its name, or by both, so that nothing hides in the other. */
function list(owner: Json, name: string, snakeName: string): readonly Json[] {
  const values = [owner?.[name], name === snakeName ? undefined : owner?.[snakeName]].filter(Array.isArray);
  return values.length === 1 ? (values[0] ?? []) : values.flat();
}

/**
 * The standard writes 64-bit integers as text. Where one is a number all the same, and too large for JavaScript, its text counts.
 * (Of a number that is no integer, such as 1e30, only doubles are made, and these are exact.)
 */
function parseRequest(line: Buffer): unknown {
  const text = line.toString();
  const request = parseJson(text);
  if (request === undefined || !longNumber.test(text)) return request;
  return JSON.parse(text, (_key, value, context?: { source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? context?.source
      : value,
  );
}

const longNumber = /"(?:intValue|int_value|timeUnixNano|time_unix_nano)":\s*-?\d{16}/;

function toCopyRecord(record: Json): CopyRecord {
  const attributes = list(record, 'attributes', 'attributes');
  let uid = '';
  let entryId: string | null = null;
  let stream = '';
  let number: string | null = null;
  let isTest = false;
  for (const attribute of attributes) {
    const value = attribute?.['value'];
    switch (attribute?.['key']) {
      case 'log.record.uid':
        uid ||= stringValueOf(value);
        break;
      case 'audit.entry.id':
        entryId ??= intValueOf(value);
        break;
      case 'audit.stream.id':
        stream ||= stringValueOf(value);
        break;
      case 'audit.sequence.number':
        number ??= intValueOf(value);
        break;
      case 'audit.test':
        isTest ||= (value as Json | undefined)?.['boolValue'] === true;
        break;
    }
  }
  return {
    uid,
    entryId,
    place: number === null ? null : { stream, number: Number(number) },
    isTest,
    matches: (fingerprint) => {
      try {
        return Buffer.compare(fingerprintRecord(record, attributes), fingerprint) === 0;
      } catch {
        return false; // no entry is sent like this
      }
    },
  };
}
