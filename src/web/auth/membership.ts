/** Turns groups into the organizations that a person administers. */
import type { GroupTemplate } from '../../settings/pageValues.ts';
import type { Viewer } from '../visit.ts';

export interface MembershipRules {
  readonly templates: readonly GroupTemplate[];
  /** null: nobody administers everything. */
  readonly superAdminGroup: string | null;
}

/** Groups are compared exactly, including case: `audit-admin:Acme` says nothing about `acme`. */
export function administersOf(groups: readonly string[], rules: MembershipRules): Viewer['administers'] {
  if (rules.superAdminGroup !== null && groups.includes(rules.superAdminGroup)) return 'all';
  const organizations = new Set<string>();
  for (const group of groups) {
    for (const { prefix, suffix } of rules.templates) {
      const isLongEnough = group.length > prefix.length + suffix.length;
      if (!isLongEnough || !group.startsWith(prefix) || !group.endsWith(suffix)) continue;
      organizations.add(group.slice(prefix.length, group.length - suffix.length));
    }
  }
  return organizations;
}
