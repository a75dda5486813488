/** What the roles of crds/rbac.yaml allow, by the words of a real API server. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuthorizationV1Api } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Cluster, isClusterMissing, useCluster } from '../tools/cluster.ts';
import { crd } from './harness.ts';
import { kubernetesRules, pageRules } from './rights.ts';

const rbacFile = join(import.meta.dirname, '../../crds/rbac.yaml');
const configsPath = 'auditexportconfigs.auditexport.dev';

interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly rules: ReadonlyArray<{ apiGroups: string[]; resources: string[]; verbs: string[] }>;
}

const roles: readonly Role[] = parseAllDocuments(readFileSync(rbacFile, 'utf8')).map((document) =>
  document.toJS(),
);
const find = (kind: string, name: string) =>
  roles.find((role) => role.kind === kind && role.metadata.name === name);

describe('crds/rbac.yaml', () => {
  it('gives the collector the rights that its tests run with, in all namespaces or in one', () => {
    expect(find('ClusterRole', 'audit-export')?.rules).toEqual(kubernetesRules);
    expect(find('Role', 'audit-export')?.rules).toEqual(kubernetesRules);
    expect(find('Role', 'audit-export-page')?.rules).toEqual(pageRules);
  });

  it('adds the rights of people to view, edit and admin', () => {
    const aggregates = (name: string) =>
      Object.keys(find('ClusterRole', name)?.metadata.labels ?? {})
        .filter((label) => label.startsWith('rbac.authorization.k8s.io/aggregate-to-'))
        .map((label) => label.replace(/.*-to-/, ''));
    expect(aggregates('audit-export-view')).toEqual(['view', 'edit', 'admin']);
    expect(aggregates('audit-export-edit')).toEqual(['edit', 'admin']);
    expect(aggregates('audit-export')).toEqual([]);
  });
});

describe.skipIf(isClusterMissing())('on an API server', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd, rbacFile) });

  it('the collector may do these things, in its namespace only', async () => {
    const { current } = cluster;
    const [namespace, other] = [await current.createNamespace(), await current.createNamespace()];
    const token = await current.tokenFor('collector', namespace);
    await bind(current, namespace, 'audit-export', 'collector');
    expect(await rightsOf(current, token, namespace)).toEqual([
      'create events.events.k8s.io',
      'get auditexportconfigs.auditexport.dev',
      'get secrets',
      'list auditexportconfigs.auditexport.dev',
      'patch auditexportconfigs/status.auditexport.dev',
      'patch events.events.k8s.io',
      'watch auditexportconfigs.auditexport.dev',
      'watch secrets',
    ]);
    expect(await rightsOf(current, token, other)).toEqual([]);
  });

  it('the page may do these things, and nothing that is not for saving', async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    const token = await current.tokenFor('page', namespace);
    await bind(current, namespace, 'audit-export-page', 'page');
    expect(await rightsOf(current, token, namespace)).toEqual(
      ['create', 'delete', 'patch'].flatMap((verb) => [`${verb} ${configsPath}`, `${verb} secrets`]),
    );
  });

  it('who may edit writes configs, and not their status', async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    const token = await current.tokenFor('editor', namespace);
    await bind(current, namespace, 'audit-export-edit', 'editor');
    const verbs = ['create', 'delete', 'deletecollection', 'patch', 'update'];
    expect(await rightsOf(current, token, namespace)).toEqual(verbs.map((verb) => `${verb} ${configsPath}`));
  });

  it('who may view reads configs and their status', async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    const token = await current.tokenFor('viewer', namespace);
    await bind(current, namespace, 'audit-export-view', 'viewer');
    const verbs = ['get', 'list', 'watch'];
    expect(await rightsOf(current, token, namespace)).toEqual(
      verbs.flatMap((verb) => [
        `${verb} ${configsPath}`,
        `${verb} auditexportconfigs/status.auditexport.dev`,
      ]),
    );
  });
});

function bind(cluster: Cluster, namespace: string, clusterRole: string, account: string): Promise<void> {
  return cluster.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ${clusterRole}, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${clusterRole}}
subjects: [{kind: ServiceAccount, name: ${account}, namespace: ${namespace}}]
`);
}

/** `verb resource.group` of everything, but for asking about oneself, which everybody may. */
async function rightsOf(cluster: Cluster, token: string, namespace: string): Promise<string[]> {
  const api = cluster.clientFor(token).makeApiClient(AuthorizationV1Api);
  const review = await api.createSelfSubjectRulesReview({ body: { spec: { namespace } } });
  return (review.status?.resourceRules ?? [])
    .filter(({ resources }) => !resources?.every((resource) => resource.startsWith('selfsubject')))
    .flatMap(({ verbs, apiGroups = [], resources = [] }) =>
      verbs.flatMap((verb) =>
        apiGroups.flatMap((group) =>
          resources.map((resource) => `${verb} ${resource}${group === '' ? '' : `.${group}`}`),
        ),
      ),
    )
    .sort();
}
