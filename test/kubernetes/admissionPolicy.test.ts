/** What the chart's ValidatingAdmissionPolicies have a real API server refuse. */
import { beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { renderChart } from '../chart/helm.ts';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import { makeKubeRequester } from '../tools/kubeRequest.ts';
import { crd, makeSpec } from './harness.ts';

const values = {
  database: { existingSecret: { name: 'audit-database' } },
  page: { enabled: true },
  rbac: { page: 'namespace', aggregate: true },
  settings: {
    authMode: 'jwt',
    jwtJwksUrl: 'https://login.example.com/keys',
    jwtIssuer: 'https://login.example.com',
    jwtAudience: 'audit-export',
    pageNamespace: 'exports',
    namespaceOrganizations: {
      exports: ['*'],
      'team-a': ['acme', 'a.b-*', 'say "hi"\\d', 'zwei\nZeilen*'],
      'team-b': [],
    },
  },
};
const pageLabels = { 'app.kubernetes.io/managed-by': 'audit-export-page' };

describe.skipIf(isClusterMissing() || isToolMissing('helm'))(
  'the policies of the chart',
  { timeout: 60_000 },
  () => {
    const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });
    beforeAll(async () => {
      await provideTool('helm');
      const { current } = cluster;
      for (const name of ['audit', 'exports', 'team-a', 'team-b', 'other']) {
        await current.apply(`{apiVersion: v1, kind: Namespace, metadata: {name: ${name}}}`);
      }
      const wanted =
        /^(ValidatingAdmissionPolicy|ValidatingAdmissionPolicyBinding|ClusterRole|ClusterRoleBinding|Role|RoleBinding|ServiceAccount)$/;
      for (const object of await renderChart([], values)) {
        if (wanted.test(object.kind)) await current.apply(JSON.stringify(object));
      }
      // A policy takes a moment to be in force.
      await waitFor(async () => (await createConfig('team-b', 'globex')).status === 422, {
        timeoutMs: 30_000,
      });
    }, toolTimeoutMs);

    function createConfig(namespace: string, organization: string) {
      return cluster.current.request({
        method: 'POST',
        path: `/apis/auditexport.dev/v1/namespaces/${namespace}/auditexportconfigs?dryRun=All`,
        body: {
          apiVersion: 'auditexport.dev/v1',
          kind: 'AuditExportConfig',
          metadata: { name: 'x' },
          spec: makeSpec({ organization }),
        },
      });
    }

    it.each([
      ['exports', 'anything', true],
      ['team-a', 'acme', true],
      ['team-a', 'acme2', false],
      ['team-a', 'a.b-c', true],
      ['team-a', 'aXb-c', false],
      ['team-a', 'say "hi"\\d', true],
      ['team-a', 'say "hi"7', false],
      ['team-a', 'globex', false],
      ['team-b', 'acme', false],
      ['other', 'acme', false],
    ])('namespace %s may export %j: %s', async (namespace, organization, isAllowed) => {
      const { status, body } = await createConfig(namespace, organization);
      expect(status, JSON.stringify(body)).toBe(isAllowed ? 201 : 422);
      if (!isAllowed) {
        expect(body['message']).toContain(
          `spec.organization is "${organization}", which namespace ${namespace} may not export: use a namespace that may`,
        );
      }
    });

    it('the ServiceAccount of the page writes what the page has made, and no other Secret', async () => {
      const { current } = cluster;
      const { url, ca } = current;
      const token = await current.tokenFor('demo-audit-export', 'audit');
      const account = makeKubeRequester({ url, ca, token });
      const post = (namespace: string, name: string, labels: object, type = 'Opaque', more = {}) =>
        account.request({
          method: 'POST',
          path: `/api/v1/namespaces/${namespace}/secrets`,
          body: { apiVersion: 'v1', kind: 'Secret', metadata: { name, labels, ...more }, type },
        });
      const patch = (name: string, metadata: object) =>
        account.request({
          method: 'PATCH',
          path: `/api/v1/namespaces/exports/secrets/${name}`,
          contentType: 'application/merge-patch+json',
          body: { metadata },
        });
      const remove = (name: string) =>
        account.request({ method: 'DELETE', path: `/api/v1/namespaces/exports/secrets/${name}` });
      try {
        await waitFor(async () => (await post('exports', 'own', pageLabels)).status === 201);
        expect((await post('exports', 'plain', {})).body['message']).toContain('with its own label alone');
        const annotations = { 'kubernetes.io/service-account.name': 'demo-audit-export' };
        const asked = await post('exports', 'token', pageLabels, 'kubernetes.io/service-account-token', {
          annotations,
        });
        expect(asked.body['message']).toContain('of the types Opaque and kubernetes.io/tls');
        expect((await post('other', 'own', pageLabels)).status).toBe(403);
        expect((await patch('own', { annotations: { note: 'x' } })).status).toBe(200);
        expect((await patch('own', { labels: { 'app.kubernetes.io/managed-by': null } })).status).toBe(422);

        await current.apply('{apiVersion: v1, kind: Secret, metadata: {name: foreign, namespace: exports}}');
        expect((await patch('foreign', { labels: pageLabels })).status).toBe(422);
        expect((await remove('foreign')).body['message']).toContain('deletes no Secret that it has not made');
        expect((await remove('own')).status).toBe(200);
        // Others are not held back by it.
        await current.apply(
          '{apiVersion: v1, kind: Secret, metadata: {name: foreign, namespace: exports}, type: Opaque}',
        );
      } finally {
        await account.close();
      }
    });
  },
);
