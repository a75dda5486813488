/** What the page of a release needs to let people in: a certificate for its Ingress, and an identity provider that pods trust. */
import { stringify } from 'yaml';
import { applySecret } from '../kubernetes/harness.ts';
import { makeCertificateAuthority } from '../tools/certificates.ts';
import { makeIdentityProvider } from '../tools/identityProvider.ts';
import type { Node } from '../tools/node.ts';
import { startIngress } from './ingress.ts';
import type { Release } from './release.ts';

export interface PageParts {
  readonly values: Readonly<Record<string, object>> & { readonly settings: object };
  /** Names to sign in by. */
  readonly people: { readonly admin: string };
  /** Of the identity provider. */
  readonly issuer: string;
}

const pageHost = 'audit.example.com';
const providerHost = 'login.example.com';
const providerPort = 8443;

/** Ended with the test. */
export async function preparePage(node: Node, { namespace, reach }: Release): Promise<PageParts> {
  const authority = makeCertificateAuthority();
  const pageOrigin = `https://${pageHost}`;
  const issuer = `https://${providerHost}:${providerPort}`;
  const provider = await makeIdentityProvider({
    people: { ada: { name: 'Ada Lovelace', groups: ['audit-admin:acme'] } },
    pageOrigin,
    publicIssuer: issuer,
  });
  const upstream = new URL(await reach(`http://127.0.0.1:${provider.port}`)).host;
  await startIngress(
    node,
    [{ host: providerHost, ...authority.issue([providerHost]), upstream }],
    providerPort,
  );
  node.names.set(providerHost, node.namespaces.link.node);
  const certificate = authority.issue([pageHost]);
  await applySecret(
    node.cluster,
    namespace,
    'audit-certificate',
    { 'tls.crt': certificate.cert, 'tls.key': certificate.key },
    { type: 'kubernetes.io/tls' },
  );
  await applySecret(node.cluster, namespace, 'audit-page', {
    'session-secret': 'a secret of at least 32 characters',
    'client-secret': provider.clientSecret,
  });
  await node.cluster.apply(
    stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'authorities', namespace },
      data: { 'ca.crt': authority.cert },
    }),
  );
  return {
    people: { admin: 'ada' },
    issuer,
    values: {
      page: {
        enabled: true,
        existingSecret: { name: 'audit-page' },
        ingress: {
          enabled: true,
          className: 'nginx',
          hosts: [pageHost],
          tls: [{ secretName: 'audit-certificate', hosts: [pageHost] }],
        },
      },
      rbac: { page: 'namespace' },
      settings: {
        authMode: 'oidc',
        publicUrl: pageOrigin,
        oidcIssuer: issuer,
        oidcClientId: provider.clientId,
        adminGroup: ['audit-admin:{organization}'],
        // Networks for tests, as that of the node, are refused to people.
        allowedAddresses: [node.address],
      },
      extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/etc/authorities/ca.crt' }],
      extraVolumes: [{ name: 'authorities', configMap: { name: 'authorities' } }],
      extraVolumeMounts: [{ name: 'authorities', mountPath: '/etc/authorities', readOnly: true }],
    },
  };
}
