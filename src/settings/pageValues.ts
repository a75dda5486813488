/** The kinds of value that only settings of the page have; see values.ts. */
import { z } from 'zod';
import { Secret } from '../model/secret.ts';
import { isLoopbackName } from './loopback.ts';
import type { GroupTemplate } from './pageSettings.ts';
import type { ValueKind } from './values.ts';

/** `https://HOST` or `http://HOST`, and nothing after it. */
export function origin(): ValueKind<string> {
  const schema = z.string().transform((value, context) => {
    const url = parseWebUrl(value);
    if (url !== null && url.href === `${url.origin}/`) return url.origin;
    context.addIssue(
      'it must be the origin of the page alone, such as https://audit.example.com, without a path',
    );
    return z.NEVER;
  });
  return { type: 'origin', schema };
}

/** What keys and tokens come from: https, or http on this machine alone. */
export function trustedUrl(): ValueKind<URL> {
  const schema = z.string().transform((value, context) => {
    const url = parseWebUrl(value);
    if (url !== null && url.hash === '' && isSafeTransport(url)) return url;
    context.addIssue('it must be an https URL without user info (http only on a loopback address)');
    return z.NEVER;
  });
  return { type: 'URL', schema };
}

/** Whether what is sent there can be read on the way. */
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
  return { type: 'header name', schema };
}

export function secretText(options: { readonly minLength: number }): ValueKind<Secret> {
  const { minLength } = options;
  const schema = z
    .string()
    .min(
      minLength,
      `it must be at least ${minLength} characters long; make one with: openssl rand -base64 32`,
    )
    .transform((value) => new Secret(value));
  return { type: minLength > 1 ? `text, at least ${minLength} characters` : 'text', schema };
}

const placeholder = '{organization}';

/** Comma-separated group names with `{organization}` once in each. */
export function groupTemplates(): ValueKind<readonly GroupTemplate[]> {
  const schema = z.string().transform((value, context) => {
    const templates: GroupTemplate[] = [];
    for (const item of value.split(',').map((part) => part.trim())) {
      const [prefix, suffix, ...more] = item.split(placeholder);
      if (prefix !== undefined && suffix !== undefined && more.length === 0) {
        templates.push({ prefix, suffix });
        continue;
      }
      context.addIssue(
        `${JSON.stringify(item)} in it must hold ${placeholder} exactly once, such as audit-admin:${placeholder}`,
      );
    }
    return templates;
  });
  return { type: `list of group names with ${placeholder}`, schema };
}

// Signatures alone: with HS256 whoever may check a token can also make one, and "none" is no signature.
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

export function signatureAlgorithms(): ValueKind<readonly string[]> {
  const schema = z.string().transform((value, context) => {
    const found = value.split(',').map((part) => part.trim());
    for (const name of found.filter((item) => !algorithms.includes(item))) {
      context.addIssue(
        `${JSON.stringify(name)} in it is not a signature of a public key; each must be one of ${algorithms.join(', ')}`,
      );
    }
    return found;
  });
  return { type: 'list of JWS algorithms', schema };
}
