/** `spec.headers`: a list keyed by name. Values are secrets from the moment they are read: no sentence here repeats one. */
import { z } from 'zod';
import { isSpeakingHeader, requestHeaderNames } from '../../model/ownHeaders.ts';
import { field } from './field.ts';
import { secretKeySchema, secretNameSchema } from './names.ts';

/** RFC 9110, section 5.6.2: token. */
const headerNamePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const maxHeaders = 32;
const maxNameLength = 128;
const maxValueLength = 4096;

export const forbiddenHeaderProblem = 'which is set by the collector itself: remove this header';

export const speakingHeaderProblem =
  'which says who asks, and only browsers and proxies may say that: remove this header';

export const headerValueRule = 'only printable ASCII characters can stand in a header';

/** undici refuses the rest, and non-ASCII bytes are read differently by each receiver. */
export const headerValuePattern = /^[\t\x20-\x7e]*$/;

function findNameProblem(name: string): string | null {
  if (requestHeaderNames.includes(name.toLowerCase())) return forbiddenHeaderProblem;
  return isSpeakingHeader(name) ? speakingHeaderProblem : null;
}

const headerNameSchema = field(
  z
    .string()
    .min(1)
    .max(maxNameLength)
    .regex(headerNamePattern)
    .superRefine((name, context) => {
      const problem = findNameProblem(name);
      if (problem !== null) context.addIssue(`is ${JSON.stringify(name)}, ${problem}`);
    }),
  {
    description: 'Name of the header. Content-*, Host and the connection headers are set by the collector.',
    expected: `a header name of at most ${maxNameLength} letters, digits and "-", such as Authorization`,
    mismatch: 'is not a header name: use letters, digits and "-", such as Authorization',
  },
);

const headerValueSchema = field(
  z
    .string()
    .max(maxValueLength)
    .regex(/^[^\r\n]*$/)
    .superRefine((value, context) => {
      if (/[\r\n]/.test(value) || isHeaderValue(value)) return;
      context.addIssue(`has a character that cannot be sent: ${headerValueRule}`);
    })
    .optional(),
  {
    description: 'The value itself; for anything secret use valueFrom.',
    expected: `text of at most ${maxValueLength} characters on one line`,
    mismatch: 'has a line break: a header is one line, so remove it',
  },
);

const secretKeyRefSchema = field(z.strictObject({ name: secretNameSchema, key: secretKeySchema }), {
  description: 'A key of a Secret in the same namespace.',
  expected: 'a map with the name of a Secret and a key in it',
});

export const noValueProblem = 'has neither value nor valueFrom: give it one of them';
export const twoValuesProblem = 'has both value and valueFrom: keep one of them';

const headerSchema = field(
  z
    .strictObject({
      name: headerNameSchema,
      value: headerValueSchema,
      valueFrom: field(z.strictObject({ secretKeyRef: secretKeyRefSchema }).optional(), {
        description: 'Where the value is read from.',
        expected: 'a map with secretKeyRef',
      }),
    })
    .superRefine((header, context) => {
      const given = [header.value, header.valueFrom].filter((source) => source !== undefined).length;
      if (given !== 1) context.addIssue(given === 0 ? noValueProblem : twoValuesProblem);
    }),
  {
    description: 'One header of every request.',
    expected: 'a map with name, and value or valueFrom',
  },
);

export const headersSchema = field(
  z
    .array(headerSchema)
    .max(maxHeaders)
    .check(
      z.superRefine(
        (headers, context) => {
          for (const { index, name } of findRepeatedNames(headers)) {
            context.addIssue({
              code: 'custom',
              path: [index, 'name'],
              message: `is ${JSON.stringify(name)}, the name of an earlier header: keep one of them`,
            });
          }
        },
        // Even if an item is wrong: all problems are reported at once.
        { when: () => true },
      ),
    )
    .default([]),
  {
    description: `Headers of every request, such as the one that carries the credentials. At most ${maxHeaders}.`,
    expected: `a list of at most ${maxHeaders} headers, each with name, and value or valueFrom`,
  },
);

/** Whether `value` can be sent as it is. */
export function isHeaderValue(value: string): boolean {
  return headerValuePattern.test(value);
}

/** Header names are equal whatever their case (RFC 9110, section 5.1). Looks at well-formed names only. */
function findRepeatedNames(headers: unknown): Array<{ index: number; name: string }> {
  const seen = new Set<string>();
  return (Array.isArray(headers) ? headers : []).flatMap((header, index) => {
    const name: unknown = header?.name;
    if (typeof name !== 'string' || !headerNamePattern.test(name)) return [];
    if (seen.has(name.toLowerCase())) return [{ index, name }];
    seen.add(name.toLowerCase());
    return [];
  });
}
