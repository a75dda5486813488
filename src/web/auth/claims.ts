/** Reads what tokens say about a person. Others write them, so nothing about their shape is taken for granted. */
import { valueAt } from '../../basics/valueAt.ts';

type Claims = Readonly<Record<string, unknown>>;

/**
 * The strings at `path`: a claim of just that name (`https://example.com/groups`), or else a path with dots
 * (`realm_access.roles`), where `\.` is a dot in a name. A single string is one group. undefined: there is no such claim.
 */
export function readGroups(claims: Claims, path: string): string[] | undefined {
  const value = Object.hasOwn(claims, path) ? claims[path] : valueAt(claims, splitPath(path));
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return undefined;
  return value.filter((item) => typeof item === 'string');
}

/** Names between dots. A client of Keycloak may have dots in its own name. */
export function splitPath(path: string): string[] {
  return path.split(/(?<!\\)\./).map((name) => name.replaceAll('\\.', '.'));
}

/** The name to show; null: the token has none. */
export function readName(claims: Claims): string | null {
  for (const claim of ['name', 'preferred_username', 'email']) {
    const value = claims[claim];
    if (typeof value === 'string' && value.trim() !== '') return value.slice(0, 256);
  }
  return null;
}
