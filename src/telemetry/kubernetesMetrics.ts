/** The metrics of reading manifests from a cluster, and of writing status to it. With another source they have no samples. */
import type { Condition } from '../model/streamStatus.ts';
import type { Instruments } from './instruments.ts';

export interface KubernetesMetrics {
  /** `method` is WATCH for a watch; `code` is `unreachable` when no answer came. */
  readonly countRequest: (method: string, code: string) => void;
  readonly countWatchRestart: (resource: 'configs' | 'secrets') => void;
  readonly setQueueDepth: (depth: number) => void;
  readonly countReconcile: (result: 'judged' | 'waiting' | 'unavailable' | 'error') => void;
  readonly countStatusFailure: (code: string) => void;
  /** The conditions of the status as the cluster has it; empty when the config is gone. */
  readonly setConditions: (config: ConfigName, conditions: readonly Condition[]) => void;
  /** Whether the manifests are read and watched now. */
  readonly setFollowing: (isFollowing: boolean) => void;
}

interface ConfigName {
  readonly namespace: string;
  readonly name: string;
}

export function makeKubernetesMetrics(instruments: Instruments): KubernetesMetrics {
  /** Type and status shown for each config. */
  const shown = new Map<string, string[]>();

  return {
    countRequest: (method, code) => instruments.kubernetesRequests.inc({ method, code }),
    countWatchRestart: (resource) => instruments.kubernetesWatchRestarts.inc({ resource }),
    setQueueDepth: (depth) => instruments.reconcileQueueDepth.set(depth),
    countReconcile: (result) => instruments.reconciles.inc({ result }),
    countStatusFailure: (code) => instruments.statusWriteFailures.inc({ code }),
    setConditions({ namespace, name }, conditions) {
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
    setFollowing: (isFollowing) => instruments.configSourceSynced.set(isFollowing ? 1 : 0),
  };
}
