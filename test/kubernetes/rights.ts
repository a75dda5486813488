/** The rights of the collector, and the ways to take them away. */
import type { Cluster } from '../tools/cluster.ts';

/** What the collector needs, and nothing else. */
export const RULES = [
  { apiGroups: ['auditexport.dev'], resources: ['auditexportconfigs'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['auditexport.dev'], resources: ['auditexportconfigs/status'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'watch'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];

/** Gives the ServiceAccount `collector` of the namespace these rights, there or everywhere; others than before are gone. */
export async function allowCollector(
  cluster: Cluster,
  namespace: string,
  everywhere = false,
  rules: unknown = RULES,
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
