/**
 * `spec.endpoint`: which addresses may be posted to. The same rules as the CRD's CEL; here each has its own sentence.
 * Whether the address it resolves to may be reached is decided when connecting (transport's address guard).
 */
import { z } from 'zod';
import { field } from './field.ts';

const EXAMPLE = 'https://otel.example.com:4318';
const EXPECTED = `an http or https URL of at most 2048 characters, such as ${EXAMPLE}`;

export const endpointSchema = field(
  z
    .string()
    .min(1)
    .max(2048)
    .superRefine((endpoint, context) => {
      const complaint = findEndpointProblem(endpoint);
      if (complaint !== null) context.addIssue({ code: 'custom', message: complaint });
    }),
  {
    description:
      "The receiver's OTLP/HTTP address. Without a path, /v1/logs is appended; a path is used as it is.",
    expected: EXPECTED,
  },
);

/**
 * Says what is wrong with an endpoint, as the rest of a sentence that begins with the field's path; null when nothing is.
 * Credentials and the query string (where some receivers expect a token) are never repeated.
 */
function findEndpointProblem(endpoint: string): string | null {
  // Read from the text: `new URL` is lenient (it takes `https:///x` for host x, drops tabs, turns `\` into `/`).
  if (/[\s\\\p{Cc}]/u.test(endpoint)) {
    return `has a space, a control character or a backslash in it: it must be ${EXPECTED}`;
  }
  if (/^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/i.test(endpoint)) {
    return 'has a user name or password in it: remove them, and send an Authorization header whose value comes from a Secret';
  }
  if (!/^https?:\/\//i.test(endpoint)) {
    const shown = JSON.stringify(endpoint.replace(/[?#].*$/, '').slice(0, 80));
    return `is ${shown}: it must begin with http:// or https://, such as ${EXAMPLE}`;
  }
  if (/^https?:\/\/(?:[/?#:]|$)/i.test(endpoint)) {
    return `has no host: it must be ${EXPECTED}`;
  }
  if (endpoint.includes('#')) {
    return 'has a fragment ("#" and what follows): remove it, a receiver never gets to see it';
  }
  if (!URL.canParse(endpoint)) {
    return `has a host or port that cannot be read: it must be ${EXPECTED}`;
  }
  return null;
}
