/**
 * What to ask a receiver for the numbers of a stream: how many different ones there are, the highest, and how many records. The table in
 * docs/receivers.md is made of it too.
 */

export interface GapQuery {
  readonly receiver: string;
  readonly note?: string;
  readonly query: (stream: string, organization: string) => string;
}

/** Text in double quotes of LogsQL and ES|QL: a quote or a backslash in it is escaped. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** A literal of ClickHouse. */
function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

export const gapQueries: readonly GapQuery[] = [
  {
    receiver: 'VictoriaLogs (LogsQL)',
    query: (stream, organization) =>
      `{audit.organization.id=${quoted(organization)}} audit.stream.id:=${quoted(stream)} | stats by (audit.stream.id) count_uniq(audit.sequence.number) numbers, max(audit.sequence.number) highest, count() records`,
  },
  {
    receiver: 'Elasticsearch, Elastic Cloud (ES|QL)',
    note: 'COUNT_DISTINCT is approximate above some thousands.',
    query: (stream) =>
      `FROM logs-* | WHERE attributes.audit.stream.id == ${quoted(stream)} | STATS numbers = COUNT_DISTINCT(attributes.audit.sequence.number), highest = MAX(attributes.audit.sequence.number), records = COUNT(*) BY attributes.audit.stream.id`,
  },
  {
    receiver: 'ClickHouse, filled by the Collector',
    query: (stream) =>
      `select LogAttributes['audit.stream.id'] stream, uniqExact(toInt64(LogAttributes['audit.sequence.number'])) numbers, max(toInt64(LogAttributes['audit.sequence.number'])) highest, count() records from otel_logs where LogAttributes['audit.stream.id'] = ${literal(stream)} group by stream`,
  },
];
