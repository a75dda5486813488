/**
 * The address requests are posted to. A base without a path gets `/v1/logs` (OTLP exporter specification, "Endpoint
 * URLs for OTLP/HTTP"); a path is used as it is, because receivers behind a gateway have their own. The query is kept.
 *
 * `endpoint` has passed the schema.
 */
export function resolveEndpoint(endpoint: string): URL {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/logs';
  return url;
}
