/** What the operator of the collector allows to those who may write AuditExportConfigs. */
import type { OrganizationBindings } from '../organizationBindings.ts';
import type { SecretPolicy } from './secretConsent.ts';

export interface ClusterRules {
  readonly secrets: SecretPolicy;
  readonly organizations: OrganizationBindings;
  readonly limits: ClusterLimits;
}

export interface ClusterLimits {
  readonly configsPerNamespace: number;
  /** How many different Secrets all configs of a namespace may refer to. */
  readonly secretsPerNamespace: number;
  readonly secretsPerConfig: number;
}
