/** Values and paths as they stand in a sentence. */
import type { Path } from './schemaWalk.ts';

const maxShown = 60;

/** A short form of any value, on one line: `"many"`, `1001`, `a list`. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > maxShown ? `${value.slice(0, maxShown)}…` : value);
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return showType(value);
}

/** What kind of thing a value is, saying nothing of its content. */
export function showType(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'number':
    case 'bigint':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'object':
      return 'a map';
    case 'undefined':
      return 'missing';
    default:
      return `a ${typeof value}`;
  }
}

/** `spec.headers[1].value`; names that are not plain words stand in brackets and quotes. The whole: `The manifest`. */
export function showPath(path: Path): string {
  if (path.length === 0) return 'The manifest';
  let shown = '';
  for (const key of path) {
    if (typeof key === 'number') shown += `[${key}]`;
    else if (/^[A-Za-z_][\w-]{0,63}$/.test(String(key)))
      shown += shown === '' ? String(key) : `.${String(key)}`;
    else shown += `[${showValue(String(key))}]`;
  }
  return shown;
}
