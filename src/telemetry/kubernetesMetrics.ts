/** The metrics of reading manifests from a cluster, and of writing status to it. With another source they have no samples. */
import type { Condition } from '../model/streamStatus.ts';
import type { Instruments } from './instruments.ts';

export type KubernetesMetrics = ReturnType<typeof makeKubernetesMetrics>;

interface ConfigName {
  readonly namespace: string;
  readonly name: string;
}

export function makeKubernetesMetrics(instruments: Instruments) {
  /** Type and status shown for each config. */
  const shown = new Map<string, string[]>();

  return {
    /** `method` is WATCH for a watch; `code` is `unreachable` when no answer came. */
    countRequest: (method: string, code: string) => instruments.kubernetesRequests.inc({ method, code }),
    countWatchRestart: (resource: 'configs' | 'secrets') =>
      instruments.kubernetesWatchRestarts.inc({ resource }),
    setQueueDepth: (depth: number) => instruments.reconcileQueueDepth.set(depth),
    countReconcile: (result: 'judged' | 'waiting' | 'unavailable' | 'error') =>
      instruments.reconciles.inc({ result }),
    countStatusFailure: (code: string) => instruments.statusWriteFailures.inc({ code }),
    /** The conditions of the status as the cluster has it; empty when the config is gone. */
    setConditions({ namespace, name }: ConfigName, conditions: readonly Condition[]) {
      const key = `${namespace}/${name}`;
      const next = conditions.map(({ type, status }) => `${type} ${status}`);
      for (const each of shown.get(key) ?? []) {
        const [type = '', status = ''] = each.split(' ');
        if (!next.includes(each)) instruments.configCondition.remove({ namespace, name, type, status });
      }
      for (const { type, status } of conditions)
        instruments.configCondition.set({ namespace, name, type, status }, 1);
      if (next.length === 0) shown.delete(key);
      else shown.set(key, next);
    },
    /** Whether the manifests are read and watched now. */
    setFollowing: (isFollowing: boolean) => instruments.configSourceSynced.set(isFollowing ? 1 : 0),
  };
}
