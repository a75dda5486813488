/** Resolves the headers of every request, with the values that Secrets hold. */
import { Secret } from '../../model/secret.ts';
import { headerValueRule, isHeaderValue } from '../schema/headers.ts';
import type { ManifestSpec } from '../schema.ts';
import {
  type BoundReader,
  invalidSecret,
  readSecret,
  type SecretProblem,
  type SecretRef,
} from './secretProblems.ts';

type Header = { readonly name: string; readonly value: Secret };

/** Many receivers refuse more than this for all headers together. */
const maxValueLength = 16 * 1024;

/** Reads every reference, so that `problems` gets everything that is wrong at once. */
export async function resolveHeaders(
  headers: ManifestSpec['headers'],
  namespace: string,
  reader: BoundReader,
  problems: SecretProblem[],
): Promise<Header[]> {
  const resolved: Header[] = [];
  for (const [index, { name, value, valueFrom }] of headers.entries()) {
    if (valueFrom === undefined) {
      resolved.push({ name, value: new Secret(value ?? '') });
      continue;
    }
    const ref = { ...valueFrom.secretKeyRef, namespace, path: ['spec', 'headers', index] };
    const secret = await readSecret(reader, ref, problems);
    const checked = secret === null ? null : checkHeaderSecret(secret, ref, problems);
    if (checked !== null) resolved.push({ name, value: checked });
  }
  return resolved;
}

/** Files usually end in a newline that is not part of the secret: one is taken off. */
function checkHeaderSecret(secret: Secret, ref: SecretRef, problems: SecretProblem[]): Secret | null {
  const value = secret.reveal().replace(/\r?\n$/, '');
  const complaint = findComplaint(value);
  if (complaint === null) return new Secret(value);
  problems.push(invalidSecret(ref, complaint));
  return null;
}

function findComplaint(value: string): string | null {
  if (value === '') return 'is empty: put the value of the header into it';
  if (value.length > maxValueLength) {
    return `is ${value.length} characters long: a header's value can have ${maxValueLength}`;
  }
  if (/[\r\n]/.test(value)) return 'has a line break inside: a header is one line, so remove it';
  if (!isHeaderValue(value)) return `has a character that cannot be sent: ${headerValueRule}`;
  return null;
}
