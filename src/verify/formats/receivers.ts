/**
 * What receivers give back when they do not keep the contents as they were (exit code 3): numbers become text, null and empty values
 * go. Uid, id and number stay, so what is missing, and what slipped in, still shows.
 */
import { valueAt } from '../../basics/valueAt.ts';
import type { CopyRecord } from '../copyRecord.ts';
import { type CopyFormat, parseJson, unreadable, wasRead } from './format.ts';

/** The attributes of a record by name. */
type Attributes = (name: string) => unknown;

/** VictoriaLogs: a row of a query, each attribute a field of its own. */
export const victoriaLogs: CopyFormat = lossy(
  'victorialogs',
  'NDJSON of VictoriaLogs',
  (json) => typeof valueAt(json, ['log.record.uid']) === 'string',
  (json) => [(name) => valueAt(json, [name])],
);

/** Elasticsearch in otel mode: a document, or a hit of a search around it. */
export const elasticsearch: CopyFormat = lossy(
  'elasticsearch',
  'NDJSON of Elasticsearch',
  (json) => typeof elasticAttribute(json, 'log.record.uid') === 'string',
  (json) => [(name) => elasticAttribute(json, name)],
);

/** Loki: a line of `logcli -o jsonl`, or an answer of its query API. */
export const loki: CopyFormat = lossy(
  'loki',
  'JSON of Loki',
  (json) => lokiRecords(json).length > 0 || Array.isArray(valueAt(json, ['data', 'result'])),
  lokiRecords,
);

function lossy(
  name: string,
  title: string,
  recognizes: (json: unknown) => boolean,
  recordsOf: (json: unknown) => readonly Attributes[],
): CopyFormat {
  return {
    name,
    title,
    recognizes: (_line, json) => recognizes(json),
    makeReader: () => (line, see) => {
      const json = parseJson(line);
      if (json === undefined) return unreadable('it is no JSON.');
      const records = recordsOf(json);
      for (const attributes of records) see(toCopyRecord(attributes));
      return wasRead;
    },
  };
}

function toCopyRecord(attributes: Attributes): CopyRecord {
  const number = attributes('audit.sequence.number');
  return {
    uid: textOf(attributes('log.record.uid')) ?? '',
    entryId: textOf(attributes('audit.entry.id')),
    place:
      number === undefined
        ? null
        : { stream: textOf(attributes('audit.stream.id')) ?? '', number: Number(number) },
    isTest: textOf(attributes('audit.test')) === 'true',
    matches: null,
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : null;
}

/** Attribute names have dots, which some mappings turn into objects in objects. */
function elasticAttribute(json: unknown, name: string): unknown {
  const source = valueAt(json, ['_source']) ?? json;
  const attributes = valueAt(source, ['attributes']);
  return (
    valueAt(attributes, [name]) ??
    valueAt(attributes, name.split('.')) ??
    valueAt(source, [`attributes.${name}`])
  );
}

type LokiStream = { readonly stream?: unknown; readonly values?: unknown };

function lokiRecords(json: unknown): readonly Attributes[] {
  const labels = valueAt(json, ['labels']);
  if (valueAt(labels, ['log_record_uid']) !== undefined) return [lokiAttributes(labels, undefined)];
  const result = valueAt(json, ['data', 'result']);
  if (!Array.isArray(result)) return [];
  return (result as LokiStream[]).flatMap(({ stream, values }) =>
    Array.isArray(values) ? values.map((value) => lokiAttributes(stream, valueAt(value, [2]))) : [],
  );
}

/** Structured metadata stands beside the line, or among the labels of its stream. Names have underscores for dots. */
function lokiAttributes(labels: unknown, metadata: unknown): Attributes {
  const own = valueAt(metadata, ['structuredMetadata']) ?? metadata;
  return (name) => {
    const label = name.replaceAll(/[.-]/g, '_');
    return valueAt(own, [label]) ?? valueAt(labels, [label]);
  };
}
