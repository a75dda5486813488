/** The config sources there are, one row each: how to build it from the settings, or why it cannot be built. */
import type { Settings } from '../settings/table.ts';
import { programVersion } from '../settings/version.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ConfigSource } from './configSource.ts';
import { DirectorySource } from './directory/directorySource.ts';
import type { LoadedConnection } from './kubernetes/connection.ts';

export type MadeSource =
  | { readonly kind: 'made'; readonly source: ConfigSource }
  /** One sentence. */
  | { readonly kind: 'failed'; readonly problem: string };

type MakeSource = (settings: Settings, log: Logger, metrics: Metrics) => Promise<MadeSource>;

const sources: { readonly [Name in Settings['configSource']]: MakeSource } = {
  async directory({ configDirectory }, log) {
    return { kind: 'made', source: new DirectorySource({ directory: configDirectory ?? '', log }) };
  },

  async kubernetes(settings, log, metrics) {
    // Only where it is used: the client library takes half a second and 90 MB.
    const { loadConnection, KubernetesSource } = await import('./kubernetes/index.ts');
    const loaded = loadConnection();
    if (loaded.kind !== 'loaded') return { kind: 'failed', problem: describeConnection(loaded) };
    const source = new KubernetesSource({
      connection: loaded.connection,
      namespace: settings.watchNamespace,
      createNamespace: settings.pageNamespace,
      rules: {
        labels: Object.fromEntries(settings.watchLabels),
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
  },
};

/** Reads nothing yet: `start` of the source does. */
export function makeSource(settings: Settings, log: Logger, metrics: Metrics): Promise<MadeSource> {
  return sources[settings.configSource](settings, log, metrics);
}

function describeConnection(failure: Exclude<LoadedConnection, { kind: 'loaded' }>): string {
  const why =
    failure.kind === 'failed'
      ? failure.problem
      : 'this process runs in no pod with a ServiceAccount token and there is no kubeconfig: set KUBECONFIG, or CONFIG_SOURCE=directory and CONFIG_DIRECTORY';
  return `CONFIG_SOURCE is kubernetes, but ${why}.`;
}
