/** The rights of the collector, and the ways to take them away. */
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { Cluster } from '../tools/cluster.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** As shipped, in this order: configs, their status, Secrets, Events. */
export const kubernetesRules: readonly Rule[] = readRules('audit-export');

/** As shipped, beside those: what the page saves with. In this order: configs, Secrets. */
export const pageRules: readonly Rule[] = readRules('audit-export-page');

function readRules(name: string): Rule[] {
  const text = readFileSync(new URL('../../crds/rbac.yaml', import.meta.url), 'utf8');
  const role = parseAllDocuments(text)
    .map((document) => document.toJS() as { kind: string; metadata: { name: string }; rules: Rule[] } | null)
    .find((each) => each?.kind === 'ClusterRole' && each.metadata.name === name);
  return role?.rules ?? [];
}

/** Gives the ServiceAccount `collector` of the namespace these rights, there or everywhere; others than before are gone. */
export async function allowCollector(
  cluster: Cluster,
  namespace: string,
  everywhere = false,
  rules: unknown = kubernetesRules,
): Promise<void> {
  const prefix = everywhere ? 'Cluster' : '';
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const metadata = everywhere ? { name: `collector-${namespace}` } : { name: 'collector', namespace };
  const role = { apiVersion, kind: `${prefix}Role`, metadata, rules };
  const binding = {
    apiVersion,
    kind: `${prefix}RoleBinding`,
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: `${prefix}Role`, name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', name: 'collector', namespace }],
  };
  await cluster.apply(`${JSON.stringify(role)}\n---\n${JSON.stringify(binding)}`);
}
