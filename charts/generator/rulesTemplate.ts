/** The rules of the roles, exactly as in crds/rbac.yaml. */
import { parseAllDocuments, stringify } from 'yaml';

interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules: unknown;
}

const roleNames = {
  collector: 'audit-export',
  page: 'audit-export-page',
  view: 'audit-export-view',
  edit: 'audit-export-edit',
} as const;

/** `audit-export.rules.collector` and its like. @throws Error when crds/rbac.yaml lacks one of the roles. */
export function makeRulesTemplate(rbac: string): string {
  const roles = parseAllDocuments(rbac).map((document): Role => document.toJS());
  const parts = Object.entries(roleNames).map(([key, name]) => {
    const role = roles.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name);
    if (role === undefined) throw new Error(`crds/rbac.yaml has no ClusterRole ${name}.`);
    const rules = stringify(role.rules, { collectionStyle: 'any' }).trimEnd();
    return `{{- define "audit-export.rules.${key}" -}}\n${rules}\n{{- end -}}\n`;
  });
  return `{{/* Generated from crds/rbac.yaml by \`npm run generate\`: change it there. */}}\n${parts.join('\n')}`;
}
