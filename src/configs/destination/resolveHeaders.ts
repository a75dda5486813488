/** Resolves the headers of every request, with the values that Secrets hold. */
import { Secret } from '../../model/secret.ts';
import { headerValueRule, isHeaderValue } from '../schema/headers.ts';
import type { ManifestSpec } from '../schema.ts';
import type { ReferredSecrets, SecretRef } from './secretProblems.ts';

type Header = { readonly name: string; readonly value: Secret };

/** Many receivers refuse more than this for all headers together. */
const maxValueLength = 16 * 1024;

/** Reads every reference, so that `secrets` collects everything that is wrong at once. */
export async function resolveHeaders(
  headers: ManifestSpec['headers'],
  secrets: ReferredSecrets,
): Promise<Header[]> {
  const resolved: Header[] = [];
  for (const [index, { name, value, valueFrom }] of headers.entries()) {
    const ref = valueFrom && { ...valueFrom.secretKeyRef, path: ['spec', 'headers', index] };
    const secret = ref === undefined ? new Secret(value ?? '') : await resolveValue(ref, secrets);
    if (secret !== null) resolved.push({ name, value: secret });
  }
  return resolved;
}

/** Files usually end in a newline that is not part of the secret: one is taken off. */
async function resolveValue(ref: SecretRef, secrets: ReferredSecrets): Promise<Secret | null> {
  const secret = await secrets.read(ref);
  if (secret === null) return null;
  const value = secret.reveal().replace(/\r?\n$/, '');
  const complaint = findComplaint(value);
  return complaint === null ? new Secret(value) : secrets.refuse(ref, complaint);
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
