/** The paths at which a receiver of logs may be, when it is not at the typed one. */

/** Collectors and most services, Loki, VictoriaLogs, Elasticsearch, Dynatrace. */
const knownPaths = [
  '/v1/logs',
  '/otlp/v1/logs',
  '/insert/opentelemetry/v1/logs',
  '/_otlp/v1/logs',
  '/api/v2/otlp/v1/logs',
];
const most = 7;

/** What was typed, corrected, comes first. */
export function listPaths(typed: string): string[] {
  const plain = typed.replace(/\/+/g, '/').replace(/\/$/, '');
  const once = plain.replace(/(?:\/v1\/logs)+$/, '/v1/logs');
  const base = once.replace(/\/v1(?:\/[^/]*)?$/, '');
  const paths = [plain, once, `${base}/v1/logs`, ...knownPaths];
  return [...new Set(paths.filter((path) => path !== '' && path !== typed))].slice(0, most);
}
