/** Paths of a manifest as the page knows them: without `spec`, with dots, and a header's value by one name. */
import type { Path } from '../problems/schemaWalk.ts';

/** `spec.headers[2].valueFrom.secretKeyRef` → `headers.2.value`; `metadata.name` → `name`; what is not of the spec → ''. */
export function toFieldPath(path: Path | string): string {
  const [top, ...rest] = typeof path === 'string' ? splitPath(path) : path.map(String);
  if (top === 'metadata') return rest[0] === 'name' ? 'name' : '';
  if (top !== 'spec') return '';
  // A header as a whole is wrong where its value is.
  if (rest[0] === 'headers' && rest[1] !== undefined && rest[2] !== 'name') return `headers.${rest[1]}.value`;
  if (rest[0] === 'tls' && rest[1] !== undefined) return `tls.${rest[1]}`;
  return rest.join('.');
}

/** `spec.headers[2].value`, as in answers of the API server; a leading dot is not part of it. */
function splitPath(path: string): string[] {
  return path.split(/[.[\]]+/).filter((part) => part !== '');
}
