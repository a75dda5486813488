/**
 * Decides whether a Secret of the cluster agrees to be used by an export. Whoever may create AuditExportConfigs need not be
 * allowed to read Secrets: without this, a header could read any of them and send it anywhere.
 *
 *   our own, a type for the cluster's own credentials, a "no" → refused, always
 *   label `auditexport.dev/export: "true"`, or the host in `auditexport.dev/allowed-hosts` → used
 *   nothing said → used with a warning, or refused, by SECRET_CONSENT
 */
import { pageFieldManager } from './resource.ts';

export interface SecretPolicy {
  /** How a Secret is treated that says nothing. */
  readonly consent: 'required' | 'warn';
  /** `NAMESPACE/NAME` of those that the collector itself runs on. */
  readonly own: readonly string[];
}

/** All of a Secret but what it holds. */
export interface SecretFacts {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Names of the AuditExportConfigs that own it; absent: none. */
  readonly owners?: readonly string[];
}

export type Consent =
  | { readonly kind: 'agrees' }
  /** `message` completes "Secret flows/acme …". */
  | { readonly kind: 'silent' | 'refuses'; readonly message: string };

export const exportLabel = 'auditexport.dev/export';
const hostsAnnotation = 'auditexport.dev/allowed-hosts';

const takenTypes = ['Opaque', 'kubernetes.io/tls'];
/** None of them is ever the value of a header. */
const credentialTypes = [
  'kubernetes.io/service-account-token',
  'kubernetes.io/dockercfg',
  'kubernetes.io/dockerconfigjson',
  'bootstrap.kubernetes.io/token',
  'helm.sh/release.v1',
];

export function isOwnSecret(policy: SecretPolicy, namespace: string, name: string): boolean {
  return policy.own.includes(`${namespace}/${name}`);
}

export const ownSecretMessage =
  'is one that the collector itself runs on, and is never sent: put the value into a Secret of its own';

/**
 * Whether the Secret agrees to being sent to `endpoint` by `config`; where it says nothing, `policy` decides. A Secret of the
 * page holds what somebody typed for one destination, and serves no other config.
 */
export function judgeConsent(
  secret: SecretFacts,
  endpoint: URL,
  policy: SecretPolicy,
  config?: string,
): Consent {
  const { type, labels, annotations, owners = [] } = secret;
  if (isOwnSecret(policy, secret.namespace, secret.name)) return refuse(ownSecretMessage);
  if (credentialTypes.includes(type)) {
    return refuse(`is of the type ${type}, which is never sent: put the value into one of the type Opaque`);
  }
  const isOfPage = labels['app.kubernetes.io/managed-by'] === pageFieldManager;
  if (isOfPage && config !== undefined && owners.length > 0 && !owners.includes(config)) {
    return refuse(
      `holds what was typed on the page for ${owners.join(', ')}, and serves no other config: put the value into a Secret of your own`,
    );
  }
  const label = labels[exportLabel];
  const hosts = annotations[hostsAnnotation];
  if (label !== undefined && label !== 'true') {
    return refuse(
      `says ${exportLabel}: ${JSON.stringify(label)}, so it is not sent: set that label to "true"`,
    );
  }
  if (hosts !== undefined && !allowsHost(hosts, endpoint)) {
    return refuse(
      `may not go to ${endpoint.host}: add the host to its annotation ${hostsAnnotation}, or use another Secret`,
    );
  }
  const isTakenType = takenTypes.includes(type);
  if (isTakenType && (label === 'true' || hosts !== undefined || isOfPage)) return { kind: 'agrees' };
  const message = isTakenType
    ? `does not agree to being sent: give it the label ${exportLabel}: "true"`
    : `is of the type ${type}: put the value into one of the type Opaque, with the label ${exportLabel}: "true"`;
  return policy.consent === 'required' ? refuse(message) : { kind: 'silent', message };
}

function refuse(message: string): Consent {
  return { kind: 'refuses', message };
}

/** `hosts`: names or addresses separated by commas, each with or without a port. */
function allowsHost(hosts: string, { hostname, host, port, protocol }: URL): boolean {
  const withPort = port === '' ? `${host}:${protocol === 'https:' ? '443' : '80'}` : host;
  return hosts
    .split(',')
    .map((each) => each.trim().toLowerCase())
    .some((each) => each !== '' && (each === hostname || each === withPort));
}
