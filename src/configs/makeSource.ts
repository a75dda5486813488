/** Makes the source of AuditExportConfigs that CONFIG_SOURCE names. */
import type { Settings } from '../settings/settings.ts';
import { programVersion } from '../settings/version.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ConfigSource } from './configSource.ts';
import { makeDirectorySource } from './directory/directorySource.ts';

export type MadeSource =
  | { readonly kind: 'made'; readonly source: ConfigSource }
  /** One sentence. */
  | { readonly kind: 'failed'; readonly problem: string };

export async function makeSource(settings: Settings, log: Logger, metrics: Metrics): Promise<MadeSource> {
  if (settings.configSource === 'directory') {
    return { kind: 'made', source: makeDirectorySource({ directory: settings.configDirectory ?? '', log }) };
  }
  // Only where it is used: the client library takes half a second and 90 MB.
  const { loadConnection, makeKubernetesSource } = await import('./kubernetes/index.ts');
  const loaded = loadConnection();
  if (loaded.kind === 'failed') return loaded;
  const source = makeKubernetesSource({
    connection: loaded.connection,
    namespace: settings.watchNamespace,
    createNamespace: settings.pageNamespace,
    rules: {
      secrets: { consent: settings.secretConsent, own: settings.ownSecrets },
      organizations: settings.namespaceOrganizations,
      limits: {
        configsPerNamespace: settings.maxConfigsPerNamespace,
        secretsPerNamespace: settings.maxSecretsPerNamespace,
        secretsPerConfig: settings.maxSecretsPerConfig,
      },
    },
    log,
    metrics: metrics.kubernetes,
    userAgent: `audit-export/${programVersion}`,
    instance: settings.replicaName,
  });
  return { kind: 'made', source };
}
