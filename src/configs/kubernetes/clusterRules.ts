/** What the operator of the collector allows to those who may write AuditExportConfigs. */
import type { OrganizationBindings } from '../organizationBindings.ts';
import type { SecretPolicy } from './secretConsent.ts';

export interface ClusterRules {
  /** Those that a config must have to be this collector's. */
  readonly labels: Labels;
  readonly secrets: SecretPolicy;
  readonly organizations: OrganizationBindings;
  readonly limits: ClusterLimits;
}

export type Labels = Readonly<Record<string, string>>;

/** For `labelSelector` of a list or a watch; empty: everything. */
export function toSelector(labels: Labels): Record<string, string> {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? {} : { labelSelector: pairs.join(',') };
}

export interface ClusterLimits {
  readonly configsPerNamespace: number;
  /** How many different Secrets all configs of a namespace may refer to. */
  readonly secretsPerNamespace: number;
  readonly secretsPerConfig: number;
}
