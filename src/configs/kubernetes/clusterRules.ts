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
  /** Different ones that all configs of a namespace refer to. */
  readonly secretsPerNamespace: number;
  readonly secretsPerConfig: number;
}
