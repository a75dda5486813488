/** The kinds of value that only the settings of the page have; see values.ts. */
import { z } from 'zod';
import { Secret } from '../model/secret.ts';
import { isLoopbackName } from './loopback.ts';
import { parsedList, parsedText, textJson, type ValueKind } from './values.ts';

export const authModes = ['oidc', 'jwt', 'headers', 'local'] as const;
export type AuthMode = (typeof authModes)[number];

/** A group matches when it begins with `prefix` and ends with `suffix`; what is between them is the organization. */
export interface GroupTemplate {
  readonly prefix: string;
  readonly suffix: string;
}

/** `https://HOST` or `http://HOST`, with nothing after it. */
export function origin(): ValueKind<string> {
  const rule = 'it must be only the origin of the page, such as https://audit.example.com, without a path';
  return parsedText('origin', rule, (text) => {
    const url = parseWebUrl(text);
    return url?.href === `${url?.origin}/` ? url.origin : null;
  });
}

/** The URL of a server that keys and tokens come from: https, or http on this machine only. */
export function trustedUrl(): ValueKind<URL> {
  const rule = 'it must be an https URL without user info (http only on a loopback address)';
  return parsedText('URL', rule, (text) => {
    const url = parseWebUrl(text);
    return url?.hash === '' && isSafeTransport(url) ? url : null;
  });
}

/** Whether no one on the network can read what is sent there. */
export function isSafeTransport(url: URL): boolean {
  return url.protocol === 'https:' || isLoopbackName(url.hostname);
}

function parseWebUrl(value: string): URL | null {
  const url = /^https?:\/\//i.test(value) && URL.canParse(value) ? new URL(value) : null;
  return url === null || url.username !== '' || url.password !== '' ? null : url;
}

export function headerName(): ValueKind<string> {
  const schema = z
    .string()
    .max(100)
    .regex(/^[A-Za-z0-9-]+$/, 'it must be the name of a header: letters, digits and hyphens')
    .transform((name) => name.toLowerCase());
  return { type: 'header name', json: textJson, schema };
}

export function secretText(options: { readonly minLength: number }): ValueKind<Secret> {
  const { minLength } = options;
  const schema = z
    .string()
    .min(
      minLength,
      `it must be at least ${minLength} characters long; generate one with: openssl rand -base64 32`,
    )
    .transform((value) => new Secret(value));
  return {
    type: minLength > 1 ? `text, at least ${minLength} characters` : 'text',
    json: textJson,
    schema,
  };
}

const placeholder = '{organization}';

/** Comma-separated group names with `{organization}` once in each. A comma in a name, as LDAP has them, is written `\,`. */
export function groupTemplates(): ValueKind<readonly GroupTemplate[]> {
  const rule = `must hold ${placeholder} exactly once, such as audit-admin:${placeholder}; a comma in a name is written \\,`;
  const kind = parsedList(
    `list of group names with ${placeholder}`,
    rule,
    (item) => {
      const [prefix = '', suffix, ...more] = item.split(placeholder);
      return suffix === undefined || more.length > 0 ? null : [{ prefix, suffix }];
    },
    splitNames,
  );
  return { ...kind, json: { type: 'array', items: { type: 'string', pattern: '^(?:[^,]|\\\\,)+$' } } };
}

/** A backslash before anything but a comma or a backslash stays, as in `DOMAIN\group`. */
function splitNames(text: string): string[] {
  const names = [''];
  for (const [token] of text.matchAll(/\\[\\,]|[\s\S]/g)) {
    if (token === ',') names.push('');
    else names.push(`${names.pop()}${token.length === 2 ? token[1] : token}`);
  }
  return names;
}

// Public-key signatures only: with HS256 anyone who can verify a token can also forge one, and "none" signs nothing.
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

export function signatureAlgorithms(): ValueKind<readonly string[]> {
  const rule = `is not a public-key signature algorithm; each must be one of $algorithms.join(', ')`;
  return parsedList('list of JWS algorithms', rule, (item) => (algorithms.includes(item) ? [item] : null));
}
