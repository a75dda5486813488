/** Decides which status file belongs to which manifest. */
import { type Assigned, baseName, isOwner } from './assignKeys.ts';
import { statusSuffix } from './listDirectory.ts';

/**
 * File name by key. It is `NAME.status.yaml` after metadata.name; a file without a metadata.name has its own file name's
 * instead, and so has one whose NAME is taken by a file that sorts first (equal names in two namespaces).
 */
export function assignStatusNames(assigned: readonly Assigned[]): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  // Those with a right to their NAME first: a broken `b.yaml` must not take the place of metadata.name `b`.
  const ordered = [...assigned].sort((a, b) => Number(!isOwner(a)) - Number(!isOwner(b)));
  for (const each of ordered) {
    const candidates = [...(isOwner(each) ? [each.name] : []), baseName(each.file.file), each.file.file];
    const free = candidates.map((name) => `${name}${statusSuffix}`).find((name) => !taken.has(name));
    // All three are taken only when three manifests are named after each other's files; the last goes without.
    if (free === undefined) continue;
    taken.add(free);
    names.set(each.key, free);
  }
  return names;
}
