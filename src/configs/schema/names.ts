/** Names that Kubernetes gives rules for: object names, namespaces, Secrets and their keys. */
import { z } from 'zod';
import { field } from './field.ts';

/** RFC 1123 label: a namespace. */
export const namespacePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** RFC 1123 subdomain: the name of most objects. */
export const objectNamePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Kubernetes's IsConfigMapKey without `.`, `..` and what begins with `..`: it is also a file name and a path segment. */
const secretKeyPattern = /^([-_a-zA-Z0-9]|\.[-_a-zA-Z0-9])[-._a-zA-Z0-9]*$/;

export const maxNameLength = 253;
export const maxNamespaceLength = 63;

export const secretNameSchema = field(z.string().min(1).max(maxNameLength).regex(objectNamePattern), {
  description: 'Name of a Secret in the same namespace.',
  mismatch: 'is not the name of a Secret: use lower-case letters, digits, "-" and "."',
  expected: `the name of a Secret: at most ${maxNameLength} lower-case letters, digits, "-" and "."`,
});

export const secretKeyExpected = `a key of the Secret: at most ${maxNameLength} letters, digits, "-", "_" and "."`;

export const secretKeySchema = field(z.string().min(1).max(maxNameLength).regex(secretKeyPattern), {
  description: 'Key in the Secret.',
  mismatch: 'is not a key of a Secret: use letters, digits, "-", "_" and "."',
  expected: secretKeyExpected,
});
