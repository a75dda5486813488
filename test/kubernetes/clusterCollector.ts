/** The whole collector as a process, steered by a cluster. */
import { type CollectorProcess, makeCollectorProcess } from '../tools/collectorProcess.ts';

export interface ClusterCollectorOptions {
  readonly databaseUrl: string;
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Not started yet; ended with the test. */
export function makeClusterCollector(options: ClusterCollectorOptions): Promise<CollectorProcess> {
  return makeCollectorProcess(options.databaseUrl, {
    CONFIG_SOURCE: 'kubernetes',
    CONFIG_DIRECTORY: '',
    KUBECONFIG: options.kubeconfig,
    WATCH_NAMESPACE: options.namespace,
    STATUS_INTERVAL_MS: '1000',
    ...options.settings,
  });
}
