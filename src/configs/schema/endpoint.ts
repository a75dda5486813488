/**
 * `spec.endpoint`: which addresses may be posted to. The CRD's rules are made from the same table.
 * Whether the address it resolves to may be reached is decided when connecting (transport's address guard).
 */
import { z } from 'zod';
import { field } from './field.ts';

const example = 'https://otel.example.com:4318';
const maxLength = 2048;
const expected = `an http or https URL of at most ${maxLength} characters, such as ${example}`;

/** Also the complaint where no check complains and the address still cannot be read. */
export const unreadableEndpoint = `has a host or port that cannot be read: it must be ${expected}`;

/** Patterns that mean the same to JavaScript and to RE2. It has either `refuse` or `require`. */
export interface EndpointCheck {
  readonly refuse?: RegExp;
  /** An exception to `refuse`. */
  readonly unless?: RegExp;
  readonly require?: RegExp;
  /** Completes a sentence that begins with the field. */
  readonly problem: string;
  /** The sentence says the value first; never where that may hold credentials. */
  readonly showsValue?: true;
}

/**
 * The first that complains is the problem. Read from the text, since `new URL` is lenient: it takes `https:///x` for
 * host x, drops tabs, turns `\` into `/` and 0x7f.1 into 127.0.0.1.
 */
export const endpointChecks: readonly EndpointCheck[] = [
  {
    refuse: /[\p{Z}\p{Cc}\p{Cf}\\]/u,
    problem: `has a space, a control character or a backslash in it: it must be ${expected}`,
  },
  {
    refuse: /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/i,
    problem:
      'has a user name or password in it: remove them, and send an Authorization header whose value comes from a Secret',
  },
  {
    require: /^https?:\/\//i,
    problem: `it must begin with http:// or https://, such as ${example}`,
    showsValue: true,
  },
  { refuse: /^https?:\/\/(?:[/?#:]|$)/i, problem: `has no host: it must be ${expected}` },
  {
    refuse: /#/,
    problem: 'has a fragment ("#" and what follows): remove it, a receiver never gets to see it',
  },
  {
    require: /^https?:\/\/(?:\[[^\]]*\]|[a-z0-9._-]+)(?:[:/?]|$)/i,
    problem:
      'has a host with other characters than letters, digits, "-", "_" and ".": correct it, and write an international name in its xn-- form',
  },
  {
    require:
      /^https?:\/\/(?:\[[^\]]*\]|[a-z0-9._-]+)(?::0*(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?(?:[/?]|$)/i,
    problem: unreadableEndpoint,
  },
  {
    refuse: /^https?:\/\/(?:[^/?[]*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?(?::[0-9]+)?(?:[/?]|$)/i,
    unless:
      /^https?:\/\/(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?::[0-9]+)?(?:[/?]|$)/i,
    problem: 'has a number for a host: write an IPv4 address as four numbers, such as 192.0.2.10',
  },
  {
    refuse: /%(?:[^0-9a-f]|[0-9a-f][^0-9a-f]|[0-9a-f]?$)/i,
    problem: 'has a "%" that is not followed by two hexadecimal digits: write %25 for a "%"',
  },
];

export const endpointSchema = field(
  z
    .string()
    .min(1)
    .max(maxLength)
    .superRefine((endpoint, context) => {
      const complaint = findEndpointProblem(endpoint);
      if (complaint !== null) context.addIssue(complaint);
    }),
  {
    description:
      "The receiver's OTLP/HTTP address. Without a path, /v1/logs is appended; a path is used as it is.",
    expected: expected,
  },
);

/** null: nothing is wrong. Credentials and the query (where some receivers expect a token) are never repeated. */
function findEndpointProblem(endpoint: string): string | null {
  const check = endpointChecks.find((each) => complains(each, endpoint));
  if (check === undefined) return URL.canParse(endpoint) ? null : unreadableEndpoint;
  if (check.showsValue !== true) return check.problem;
  return `is ${JSON.stringify(endpoint.replace(/[?#].*$/, '').slice(0, 80))}: ${check.problem}`;
}

function complains({ refuse, unless, require }: EndpointCheck, endpoint: string): boolean {
  if (require !== undefined) return !require.test(endpoint);
  return refuse?.test(endpoint) === true && unless?.test(endpoint) !== true;
}
