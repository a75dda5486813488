/**
 * A curl command that posts a request as OTLP/JSON. It can be pasted into any shell with single quotes: nothing in it is run, expanded or
 * taken from the history, and no value of a header or of a query is in it.
 */
export interface CurlInput {
  /** Where it is posted to; null: the form has no address yet. */
  readonly url: URL | null;
  /** By name, in their order. */
  readonly headers: readonly string[];
  readonly tls: { readonly isUnverified: boolean; readonly hasCa: boolean; readonly hasClientCert: boolean };
  /** OTLP/JSON. */
  readonly body: unknown;
}

export function makeCurlCommand({ url, headers, tls, body }: CurlInput): string {
  const variables = nameVariables(headers);
  const options = [
    "-H 'Content-Type: application/json'",
    ...headers.map((name, index) => `-H ${quote(`${name}: `)}"$${variables[index]}"`),
    ...(tls.isUnverified ? ['--insecure'] : []),
    ...(tls.hasCa ? ['--cacert ca.pem'] : []),
    ...(tls.hasClientCert ? ['--cert client.pem --key client.key'] : []),
    `--data-raw ${quote(toShellJson(body))}`,
  ];
  return [`curl -sS -i ${showUrl(url)}`, ...options].join(' \\\n  ');
}

/** Some receivers take their token in the query. */
function showUrl(url: URL | null): string {
  if (url === null) return '"$ENDPOINT"';
  const place = `${url.origin}${url.pathname}`;
  return url.search === '' ? quote(place) : `${quote(`${place}?`)}"$QUERY"`;
}

/** `$HEADER_AUTHORIZATION`: no name that a shell has a value for. Each its own. */
function nameVariables(names: readonly string[]): string[] {
  const given = new Map<string, number>();
  return names.map((name) => {
    const base = `HEADER_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
    const times = (given.get(base) ?? 0) + 1;
    given.set(base, times);
    return times === 1 ? base : `${base}_${times}`;
  });
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** JSON in which quotes, history marks and what a terminal may act on are escapes: the same value. */
function toShellJson(body: unknown): string {
  return JSON.stringify(body).replace(
    /['!\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
