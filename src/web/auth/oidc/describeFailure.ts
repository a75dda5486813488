/**
 * What an operator must know about a failure at the identity provider, for the log: openid-client keeps it in fields of its
 * errors and in causes that are no errors, which the log does not print.
 */

export interface ProviderFailure {
  readonly providerError?: string;
  readonly providerErrorDescription?: string;
  /** What the provider calls itself, and what it was expected to. */
  readonly foundIssuer?: string;
  readonly expectedIssuer?: string;
}

/** A provider, or somebody with an address of the page, writes these. */
const maxLength = 500;
const maxDepth = 5;

/** @param error as openid-client threw it. Never throws. */
export function describeFailure(error: unknown): ProviderFailure {
  let found: ProviderFailure = {};
  let at: unknown = error;
  for (let depth = 0; depth < maxDepth && isObject(at); depth += 1) {
    found = { ...readFields(at), ...found };
    at = at['cause'];
  }
  return found;
}

function readFields(at: Record<string, unknown>): ProviderFailure {
  const error = clean(at['error']);
  const description = clean(at['error_description']);
  const issuer = findIssuer(at);
  const expected = clean(at['expected']);
  return {
    ...(error !== null && { providerError: error }),
    ...(description !== null && { providerErrorDescription: description }),
    ...(issuer !== null && { foundIssuer: issuer, ...(expected !== null && { expectedIssuer: expected }) }),
  };
}

/** In the metadata, in the address that the browser came back to, or in the ID token. */
function findIssuer(at: Record<string, unknown>): string | null {
  const { attribute, body, claim, claims, parameters } = at;
  if (attribute === 'issuer' && isObject(body)) return clean(body['issuer']) ?? 'none';
  if (claim === 'iss' && isObject(claims)) return clean(claims['iss']) ?? 'none';
  if (parameters instanceof URLSearchParams && 'expected' in at) return clean(parameters.get('iss'));
  return null;
}

function clean(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  return value
    .toWellFormed()
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, maxLength);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
