/** The settings of CONFIG_SOURCE=kubernetes alone: what those who may write AuditExportConfigs are allowed. Rows in `clusterTable.ts`. */
export interface ClusterSettings {
  readonly secretConsent: 'required' | 'warn';
  /** `NAMESPACE/NAME`. */
  readonly ownSecrets: readonly string[];
  /** By namespace, or `*`; empty: not bound. */
  readonly namespaceOrganizations: Readonly<Record<string, readonly string[]>>;
  readonly maxConfigsPerNamespace: number;
  readonly maxSecretsPerNamespace: number;
  readonly maxSecretsPerConfig: number;
}
