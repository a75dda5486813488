/**
 * The kinds of value a setting can have. Each turns the text of an environment variable into a typed value, or says in
 * one clause, which follows `NAME is "value": `, what the value must be instead.
 */
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { type LedgerKey, parseLedgerKeys } from '../ledger/ledgerKey.ts';
import { isKeyName } from '../ledger/note.ts';
import { Secret } from '../model/secret.ts';
import { parseNetwork } from './networks.ts';

export interface ValueKind<T> {
  /** For the help text: `whole number, 1 to 100`. */
  readonly type: string;
  /** The value as data, such as in values.yaml of the chart: a JSON Schema. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly schema: z.ZodType<T, string>;
}

export interface ListenAddress {
  /** IP address or host name, IPv6 without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export const textJson = { type: 'string', minLength: 1 };
/** Items of a list that the environment variable separates by commas. */
const listJson = { type: 'array', items: { type: 'string', pattern: '^[^,]+$' } };

/** Text that `parse` makes a value of. Null: it cannot be one, and `rule` says what it must be. */
export function parsedText<T>(
  type: string,
  rule: string,
  parse: (text: string) => T | null,
  json: ValueKind<T>['json'] = textJson,
): ValueKind<T> {
  const schema = z.string().transform((value, context): T => {
    const parsed = parse(value);
    if (parsed === null) context.addIssue(rule);
    return parsed ?? z.NEVER;
  });
  return { type, json, schema };
}

/** A comma-separated list. `parse` makes values of an item; null: it cannot, and `rule` says what is wrong with `"item" in it`. */
export function parsedList<T>(
  type: string,
  rule: string,
  parse: (item: string) => readonly T[] | null,
  split: (text: string) => string[] = (text) => text.split(','),
): ValueKind<readonly T[]> {
  const schema = z.string().transform((value, context): readonly T[] =>
    split(value).flatMap((part) => {
      const values = parse(part.trim());
      if (values === null) context.addIssue(`${JSON.stringify(part.trim())} in it ${rule}`);
      return values ?? [];
    }),
  );
  return { type, json: listJson, schema };
}

export function wholeNumber({ min, max }: { readonly min: number; readonly max: number }): ValueKind<number> {
  const rule = `it must be a whole number from ${min} to ${max}`;
  const schema = z
    .string()
    .regex(/^\d{1,15}$/, rule)
    .transform(Number)
    .pipe(z.number().min(min, rule).max(max, rule));
  return {
    type: `whole number, ${min} to ${max}`,
    json: { type: 'integer', minimum: min, maximum: max },
    schema,
  };
}

export function oneOf<const T extends string>(values: readonly [T, ...T[]]): ValueKind<T> {
  const list = values.join(', ');
  return {
    type: `one of ${list}`,
    json: { type: 'string', enum: values },
    schema: z.enum(values, `it must be one of ${list}`),
  };
}

export function text(options: { readonly maxLength: number; readonly type: string }): ValueKind<string> {
  const rule = `it must be at most ${options.maxLength} characters long, without control characters`;
  const schema = z
    .string()
    .max(options.maxLength, rule)
    .regex(/^\P{Cc}*$/u, rule);
  return { type: options.type, json: textJson, schema };
}

/** A Kubernetes namespace: an RFC 1123 label. */
export function namespaceName(): ValueKind<string> {
  const rule =
    'it must be the name of one namespace: at most 63 lower-case letters, digits and inner hyphens';
  const schema = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, rule);
  return { type: 'namespace', json: textJson, schema };
}

/** `HOST:PORT`, with an IPv6 address in brackets. */
export function listenAddress(): ValueKind<ListenAddress> {
  const rule =
    'it must be HOST:PORT with a port from 0 to 65535, such as 0.0.0.0:9090 or [::1]:9090 (an IPv6 address goes in brackets)';
  return parsedText('HOST:PORT', rule, parseListenAddress);
}

/** A kind that is text, or `off`, which is null. */
export function orOff<T>(kind: ValueKind<T>): ValueKind<T | null> {
  const schema = z.string().transform((value, context): T | null => {
    if (value === 'off') return null;
    const parsed = kind.schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const { message } of parsed.error.issues) context.addIssue(`${message}, or off`);
    return z.NEVER;
  });
  return { type: `${kind.type} or off`, json: textJson, schema };
}

function parseListenAddress(value: string): ListenAddress | null {
  const match = /^(?:\[(?<ipv6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9._-]+)):(?<port>\d{1,5})$/.exec(value);
  const { ipv6, host, port } = match?.groups ?? {};
  if (port === undefined || Number(port) > 65_535) return null;
  if (ipv6 !== undefined) return ipaddr.IPv6.isValid(ipv6) ? { host: ipv6, port: Number(port) } : null;
  if (host === undefined) return null;
  // Digits and dots alone can only be meant as an IPv4 address; otherwise 10.0.0 would be looked up in DNS.
  if (/^[\d.]+$/.test(host) && !ipaddr.IPv4.isValidFourPartDecimal(host)) return null;
  return { host, port: Number(port) };
}

/** A connection URL of Postgres. The clause says what is wrong without quoting any part of the URL. */
export function postgresUrl(): ValueKind<Secret> {
  const schema = z.string().transform((value, context) => {
    const problem = findPostgresUrlProblem(value);
    if (problem === null) return new Secret(value);
    context.addIssue(problem);
    return z.NEVER;
  });
  return { type: 'URL', json: textJson, schema };
}

const postgresUrlExample = 'it must look like postgres://USER:PASSWORD@HOST:5432/DATABASE';

function findPostgresUrlProblem(value: string): string | null {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]{0,20}):/.exec(value)?.[1]?.toLowerCase();
  if (scheme !== 'postgres' && scheme !== 'postgresql') {
    return `it does not begin with postgres:// or postgresql://; ${postgresUrlExample}`;
  }
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^postgres(?:ql)?:\/\//i.test(value)) {
    return `it is not a valid URL; ${postgresUrlExample}, and characters such as # / ? % in the password must be percent-encoded`;
  }
  for (const part of [url.username, url.password, url.pathname]) {
    try {
      decodeURIComponent(part);
    } catch {
      return `it has a % that does not encode a character; write a literal % as %25`;
    }
  }
  return null;
}

/** One or two private keys as PEM. The clause quotes nothing of them. */
export function ledgerKeys(): ValueKind<readonly LedgerKey[]> {
  const schema = z.string().transform((value, context) => {
    const parsed = parseLedgerKeys(value);
    if (parsed.kind === 'keys') return parsed.keys;
    context.addIssue(`it ${parsed.problem}`);
    return z.NEVER;
  });
  return { type: 'PEM, PKCS#8', json: textJson, schema };
}

/** A name that signs: it begins the origin of each ledger. */
export function ledgerName(): ValueKind<string> {
  const rule =
    'it must be a name such as audit.example.com: at most 200 characters, without white space and +';
  const schema = z.string().max(200, rule).refine(isKeyName, rule);
  return { type: 'name', json: textJson, schema };
}

/** Comma-separated networks in CIDR notation, or single addresses. */
export function networks(): ValueKind<readonly string[]> {
  const rule = 'is not a network; it must be a comma-separated list such as 10.0.0.0/8,fd00::/8';
  return parsedList('list of CIDR networks', rule, (item) => {
    if (item === '') return [];
    const network = parseNetwork(item);
    return network && [item.includes('/') ? item : `${item}/${network[1]}`];
  });
}
